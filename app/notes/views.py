from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from .models import Note
from .tasks import sign


@require_http_methods(["GET", "POST"])
def index(request):
    """Show the release, and the notes; take a new one."""
    if request.method == "POST":
        note = Note.objects.create(text=request.POST.get("text", "")[:200])
        author = request.POST.get("author", "")[:100]
        if author and settings.CELERY_BROKER_URL:
            # After the transaction: before it a worker would not find the note. The
            # note is kept by then, so a broker that is away is no visitor's error.
            transaction.on_commit(lambda: sign.delay(note.id, author), robust=True)
        elif author:
            sign(note.id, author)
        return redirect("index")
    count = cache.get_or_set("notes", Note.objects.count, timeout=300)
    return render(request, "notes/index.html", {"notes": Note.objects.all()[:20], "count": count, "release": settings.RELEASE})
