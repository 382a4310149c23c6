"""Tests in plain Python. DATABASE_URL and REDIS_URL may name real services."""

import os

os.environ.setdefault("DJANGO_SECRET_KEY", "test")
os.environ.setdefault("DJANGO_ALLOWED_HOSTS", "example.com")
os.environ.setdefault("DATABASE_URL", "sqlite://:memory:")

from .base import *  # noqa: E402, F403
from .base import STORAGES  # noqa: E402

STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
DEPLOYMENT_ENDPOINTS = True
DEPLOYMENT_TOKEN = "a-token-of-the-tests"
CELERY_TASK_ALWAYS_EAGER = True
