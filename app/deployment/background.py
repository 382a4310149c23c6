"""Commands in processes of their own, each once for a release.

scripts/once.py, which the hooks use, has the lock and the ledger.
"""

import os
import subprocess
import sys

from django.conf import settings
from django.db import connection

ONCE = settings.BASE_DIR.parent / "scripts" / "once.py"
LOCK = 7_310_550_112  # as in scripts/once.py


def run(step, again=False):
    """Start a management command unless it is done; answer "done", "running" or "failed".

    One that has failed starts again for who asks for it, not for who waits for its end.
    """
    state = remembered(step)
    if state == "failed" and again:
        state = retry(step)
    if state in (None, "running") and not at_it():
        manage = [sys.executable, "manage.py", step]
        subprocess.Popen(
            [sys.executable, ONCE, "--no-wait", settings.RELEASE, step, *manage],
            cwd=settings.BASE_DIR,
            env={**os.environ, "DATABASE_URL": settings.DATABASE_URL},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    return state or "running"


def retry(step):
    """Forget a failure, before the command runs: until it does, nobody takes the old failure for its own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE bluegreen_once SET state = 'running' WHERE deployment = %s AND step = %s AND state = 'failed'",
            [settings.RELEASE, step],
        )
    return "running"


def at_it():
    """Whether any instance runs a step right now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s) AND pg_advisory_unlock(%s)", [LOCK, LOCK])
        return not cursor.fetchone()[0]


def remembered(step):
    """What the ledger says of a step, None before the first try."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('bluegreen_once')")
        if cursor.fetchone()[0] is None:
            return None
        cursor.execute(
            "SELECT state FROM bluegreen_once WHERE deployment = %s AND step = %s", [settings.RELEASE, step]
        )
        row = cursor.fetchone()
    return row and row[0]
