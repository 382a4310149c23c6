"""A developer's machine: nothing has to be set."""

import os

os.environ.setdefault("DJANGO_DEBUG", "True")
os.environ.setdefault("DJANGO_SECRET_KEY", "local")
os.environ.setdefault("DJANGO_ALLOWED_HOSTS", "localhost,127.0.0.1")
os.environ.setdefault("DATABASE_URL", "sqlite:///db.sqlite3")

from .base import *  # noqa: E402, F403
