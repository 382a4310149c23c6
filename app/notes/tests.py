from unittest import mock

from django.core.cache import cache
from django.test import TestCase, override_settings

from .models import Note
from .tasks import count_notes, sign


class NotesTest(TestCase):
    def setUp(self):
        cache.clear()
        self.client.defaults["HTTP_HOST"] = "example.com"

    @override_settings(RELEASE="d-ABC")
    def test_page_shows_the_release_and_the_notes(self):
        Note.objects.create(text="<first>", author="Ann")
        response = self.client.get("/")
        self.assertContains(response, "1 notes. Release d-ABC.")
        self.assertContains(response, "&lt;first&gt;, Ann")

    def test_note_is_kept_and_signed(self):
        with override_settings(CELERY_BROKER_URL="redis://unused"), self.captureOnCommitCallbacks(execute=True):
            response = self.client.post("/", {"text": "hello", "author": "Ann"})
        self.assertRedirects(response, "/")
        self.assertEqual(Note.objects.get().author, "Ann")

    def test_note_is_signed_without_a_broker(self):
        with override_settings(CELERY_BROKER_URL=""), mock.patch.object(sign, "delay", side_effect=AssertionError):
            self.client.post("/", {"text": "hello", "author": "Ann"})
        self.assertEqual(Note.objects.get().author, "Ann")

    def test_count_is_kept(self):
        Note.objects.create(text="hello")
        count_notes()
        Note.objects.create(text="not counted yet")
        self.assertContains(self.client.get("/"), "1 notes.")

    def test_a_broker_that_is_away_costs_no_note(self):
        with (
            override_settings(CELERY_BROKER_URL="redis://unused"),
            mock.patch.object(sign, "delay", side_effect=ConnectionError),
            self.assertLogs("django.test", "ERROR"),
            self.captureOnCommitCallbacks(execute=True),
        ):
            response = self.client.post("/", {"text": "hello", "author": "Ann"})
        self.assertRedirects(response, "/")
        self.assertEqual(Note.objects.count(), 1)

    @override_settings(
        CACHES={"default": {"BACKEND": "config.cache.PatientRedisCache", "LOCATION": "redis://127.0.0.1:1/0"}}
    )
    def test_a_cache_that_is_away_costs_time_only(self):
        Note.objects.create(text="hello")
        with self.assertLogs("config.cache", "WARNING"):
            self.assertContains(self.client.get("/"), "1 notes.")
            count_notes()
            self.assertEqual(self.client.get("/readyz").json()["problems"], ["cache: does not keep what it is given"])
