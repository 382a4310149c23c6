"""Whether this release could take visitors."""

import secrets

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def problems():
    """What keeps the release from working, one line each; addresses and passwords stay in the log."""
    return [f"{name}: {problem}" for name, check in CHECKS.items() if (problem := attempt(check))]


def attempt(check):
    try:
        return check()
    except Exception as error:  # whatever a driver raises
        return type(error).__name__


def pending_migrations():
    """Names of the migrations that this release has and the database has not."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def check_migrations():
    pending = pending_migrations()
    # Over HTTP they are applied when the release has visitors already.
    return "not applied: " + ", ".join(pending) if pending and not settings.DEPLOYMENT_ENDPOINTS else None


def check_cache():
    key, value = "readyz-" + secrets.token_hex(8), secrets.token_hex(8)
    cache.set(key, value, timeout=10)
    return None if cache.get(key) == value else "does not keep what it is given"


CHECKS = {"database and migrations": check_migrations, "cache": check_cache}
