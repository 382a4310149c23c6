import json
import os
import tempfile
from unittest import mock

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client, SimpleTestCase, TestCase, TransactionTestCase, override_settings

from config.env import Env

from . import background

TOKEN = {"HTTP_AUTHORIZATION": "Bearer a-token-of-the-tests", "HTTP_HOST": "example.com"}


class HealthTest(TestCase):
    def test_health_is_answered_for_any_host_without_the_database(self):
        with self.assertNumQueries(0):
            response = self.client.get("/healthz", HTTP_HOST="10.0.0.7")
        self.assertEqual(response.status_code, 200)
        self.assertEqual(self.client.get("/", HTTP_HOST="10.0.0.7").status_code, 400)

    @override_settings(RELEASE="d-ABC")
    def test_ready_names_the_release(self):
        response = self.client.get("/readyz")
        self.assertEqual((response.status_code, response.json()), (200, {"release": "d-ABC", "problems": []}))

    def test_ready_names_problems_but_no_addresses(self):
        with (
            mock.patch("deployment.readiness.pending_migrations", return_value=["notes.0002_expand"]),
            mock.patch("deployment.readiness.cache.set", side_effect=ConnectionError("redis://:password@host")),
        ):
            response = self.client.get("/readyz")
        self.assertEqual(response.status_code, 503)
        self.assertEqual(
            response.json()["problems"],
            ["database and migrations: not applied: notes.0002_expand", "cache: ConnectionError"],
        )


class EndpointsTest(TestCase):
    def post(self, path, **extra):
        return Client(enforce_csrf_checks=True).post(path, **extra)

    def test_only_the_token_lets_in(self):
        for header in ("", "Bearer ", "Bearer wrong", "a-token-of-the-tests", "Bearer a-token-of-the-tests2", "Bearer ünï"):
            with self.subTest(header):
                response = self.post("/migrate/", HTTP_AUTHORIZATION=header, HTTP_HOST="example.com")
                self.assertEqual(response.status_code, 401)
        self.assertEqual(self.post("/migrate/", HTTP_HOST="example.com").status_code, 401)
        self.assertEqual(Client().get("/migrate/", **TOKEN).status_code, 405)

    def test_nothing_pending_starts_nothing(self):
        with mock.patch("deployment.background.subprocess.Popen") as popen:
            response = self.post("/migrate/", **TOKEN)
        self.assertEqual((response.status_code, response.json()["pending"]), (200, []))
        popen.assert_not_called()

    def test_pending_migrations_are_started_in_a_process_of_their_own(self):
        with (
            mock.patch("deployment.views.pending_migrations", return_value=["notes.0002_expand"]),
            mock.patch("deployment.background.remembered", return_value=None),
            mock.patch("deployment.background.at_it", return_value=False),
            mock.patch("deployment.background.subprocess.Popen") as popen,
        ):
            response = self.post("/migrate/", **TOKEN)
        self.assertEqual(response.status_code, 202)
        self.assertEqual(response.json()["pending"], ["notes.0002_expand"])
        self.assertIn("migrate", popen.call_args.args[0])
        self.assertTrue(background.ONCE.is_file())

    def test_failure_is_told_and_tried_again(self):
        with (
            mock.patch("deployment.background.remembered", return_value="failed"),
            mock.patch("deployment.background.at_it", return_value=False),
            mock.patch("deployment.background.subprocess.Popen") as popen,
        ):
            response = self.post("/collectstatic/", **TOKEN)
        self.assertEqual((response.status_code, response.json()["state"]), (500, "failed"))
        popen.assert_called_once()

    def test_a_short_token_is_refused_at_the_start(self):
        with override_settings(DEPLOYMENT_TOKEN=""), self.assertRaises(ImproperlyConfigured):
            apps.get_app_config("deployment").ready()


class MigrationsTest(TransactionTestCase):
    """The release before runs on the new schema until it is gone."""

    def migrate(self, name):
        executor = MigrationExecutor(connection)
        executor.migrate([("notes", name)])
        return executor.loader.project_state([("notes", name)]).apps.get_model("notes", "Note")

    def tearDown(self):
        self.migrate("0003_contract")

    def test_expand_and_contract(self):
        before = self.migrate("0001_initial")
        before.objects.create(text="old", signature="Ann")
        after = self.migrate("0002_expand")
        self.assertEqual(after.objects.get().author, "Ann")
        before.objects.create(text="while both run", signature="Bob")
        after.objects.create(text="new", author="Cid")
        self.assertEqual(before.objects.count(), 3)

        last = self.migrate("0003_contract")
        self.assertEqual(sorted(last.objects.values_list("author", flat=True)), ["Ann", "Bob", "Cid"])
        after.objects.create(text="release 2 on the schema of release 3", author="Dee")


class EnvTest(SimpleTestCase):
    def read(self, content):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file, mock.patch.dict(os.environ, {"SET": "already"}, clear=True):
            json.dump(content, file)
            file.flush()
            Env.read_json(file.name)
            return dict(os.environ)

    def test_file_as_the_aws_cli_prints_it(self):
        parameters = [{"Name": "/example/prod/A", "Value": " a *\n"}, {"Name": "/example/prod/SET", "Value": "no"}]
        self.assertEqual(self.read({"Parameters": parameters}), {"A": " a *\n", "SET": "already"})

    def test_plain_file(self):
        self.assertEqual(self.read({"A": "a"}), {"A": "a", "SET": "already"})

    def test_a_value_that_begins_with_a_dollar_is_itself(self):
        with mock.patch.dict(os.environ, {"KEY": "$ecret"}):
            self.assertEqual(Env().str("KEY"), "$ecret")
            self.assertEqual(Env().str("NONE", "default"), "default")
