"""Migrating over HTTP, for hosts where a hook cannot reach the database.

The commands run in a process of their own, outside the request: no limit of a
web server cuts them off, and no transaction is around them. The client asks
until the state is "done" or "failed"; ?again=1 starts a failed one again.
"""

from functools import wraps
from hmac import compare_digest

from django.conf import settings
from django.db import transaction
from django.http import JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from . import background
from .readiness import pending_migrations


def for_the_pipeline(view):
    """Let in who sends the token as `Authorization: Bearer TOKEN`."""

    @csrf_exempt
    @require_POST
    @transaction.non_atomic_requests
    @wraps(view)
    def guarded(request):
        sent = request.headers.get("Authorization", "").encode()
        if not compare_digest(sent, b"Bearer " + settings.DEPLOYMENT_TOKEN.encode()):
            return JsonResponse({"error": "not authorized"}, status=401)
        return view(request)

    return guarded


@for_the_pipeline
def migrate(request):
    """Start what is pending, unless it runs already, and say what is."""
    pending = pending_migrations()
    return answer(start("migrate", request) if pending else "done", pending=pending)


@for_the_pipeline
def collectstatic(request):
    """Copy the static files to where visitors read them."""
    return answer(start("publishstatic", request))


def start(step, request):
    return background.run(step, again=request.GET.get("again") == "1")


def answer(state, **more):
    status = {"running": 202, "done": 200, "failed": 500}[state]
    return JsonResponse({"release": settings.RELEASE, "state": state, **more}, status=status)
