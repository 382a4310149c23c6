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
