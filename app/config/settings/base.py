"""What every environment has in common. environment.yaml says what each variable is for."""

import ssl
from pathlib import Path

from config.env import Env

BASE_DIR = Path(__file__).resolve().parents[2]

env = Env()
if env.bool("DJANGO_READ_DOT_ENV_FILE", False):
    env.read_env(BASE_DIR / ".env")
if env.str("DJANGO_READ_JSON_FILE", ""):
    env.read_json(env.str("DJANGO_READ_JSON_FILE"))

DEBUG = env.bool("DJANGO_DEBUG", False)
SECRET_KEY = env.str("DJANGO_SECRET_KEY")
ALLOWED_HOSTS = [host.strip() for host in env.list("DJANGO_ALLOWED_HOSTS")]
ADMIN_URL = env.str("DJANGO_ADMIN_URL", "admin/")
# The release that this process belongs to, which scripts/run sets.
RELEASE = env.str("RELEASE", "unreleased")

# The endpoints that migrate over HTTP exist only where they are asked for.
DEPLOYMENT_ENDPOINTS = env.bool("DJANGO_DEPLOYMENT_ENDPOINTS", False)
DEPLOYMENT_TOKEN = env.str("SINGLE_CD_AUTHORIZATION_TOKEN", "")

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "notes",
    "deployment",
]

MIDDLEWARE = [
    # First: it answers before the host name is looked at.
    "deployment.middleware.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASE_URL = env.str("DATABASE_URL")
DATABASES = {"default": env.db("DATABASE_URL")}
DATABASES["default"]["ATOMIC_REQUESTS"] = True
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", 60)
# A connection that the database closed meanwhile is replaced, not used.
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# One that does not answer at all is given up before the visitor is.
if DATABASES["default"]["ENGINE"].endswith(".postgresql"):
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Without a cache each process keeps its own. One that does not answer is soon
# given up, and slows pages down instead of failing them.
REDIS_URL = env.str("REDIS_URL", "")
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "config.cache.PatientRedisCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 2},
        }
    }

USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
MEDIA_ROOT = BASE_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}

# Celery: a task is taken off the queue when it is done, so that a worker that
# is killed loses none. One task at a time waits in a worker, so that a worker
# that stops has little to finish.
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# A task that takes longer is ended, so that a worker always stops within what
# systemd gives it. After the visibility timeout Redis gives a task to another
# worker, done or not: it has to be the longest of all.
CELERY_TASK_TIME_LIMIT = 540
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "socket_connect_timeout": 5, "socket_timeout": 30}
# A process that leaks is replaced when its task is done; in KiB.
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000
# Beat: of all that run, the one that holds the lock in Redis ticks. It gives
# the lock back when it stops; the lock of one that was killed lapses.
CELERY_BEAT_SCHEDULER = "redbeat.RedBeatScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_REDBEAT_LOCK_TIMEOUT = 30
CELERY_REDBEAT_REDIS_URL = CELERY_BROKER_URL
CELERY_BEAT_SCHEDULE = {"count-notes": {"task": "notes.tasks.count_notes", "schedule": 60}}
if CELERY_BROKER_URL.startswith("rediss://"):
    CELERY_BROKER_USE_SSL = CELERY_REDBEAT_REDIS_USE_SSL = {"ssl_cert_reqs": ssl.CERT_REQUIRED}

# To standard error, from where systemd takes it into the journal.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"botocore": {"level": "WARNING"}},
}
