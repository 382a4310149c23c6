from celery import shared_task
from django.core.cache import cache

from .models import Note


@shared_task
def sign(note_id, author):
    """Write the author of a note, after the visitor has had the answer."""
    Note.objects.filter(id=note_id).update(author=author)


@shared_task
def count_notes():
    """Count once a minute what the page would count at each visit."""
    cache.set("notes", Note.objects.count(), timeout=300)
