"""An instance on AWS."""

from .base import *  # noqa: F403
from .base import STORAGES, env

# The load balancer ends TLS and says so in a header; nginx lets no other value
# through. It also redirects HTTP, and a second redirect behind it never ends.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.bool("DJANGO_SECURE_SSL_REDIRECT", False)
SILENCED_SYSTEM_CHECKS = ["security.W008"]  # which wants that second redirect
# A minute, until all works over HTTPS; then a year.
SECURE_HSTS_SECONDS = 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("DJANGO_SECURE_HSTS_INCLUDE_SUBDOMAINS", True)
SECURE_HSTS_PRELOAD = env.bool("DJANGO_SECURE_HSTS_PRELOAD", True)
SECURE_CONTENT_TYPE_NOSNIFF = env.bool("DJANGO_SECURE_CONTENT_TYPE_NOSNIFF", True)
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True

# Files in S3, read and written with the instance's role unless a key is given.
# "published" has the static files of every release, side by side: they carry a
# hash in their name, and pages of the release before need theirs for a while.
domain = env.str("DJANGO_AWS_S3_CUSTOM_DOMAIN", None)
if domain:
    STATIC_URL = f"https://{domain}/static/"


def bucket(location, **options):
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": env.str("DJANGO_AWS_STORAGE_BUCKET_NAME"),
            "region_name": env.str("DJANGO_AWS_S3_REGION_NAME", env.str("AWS_DEFAULT_REGION")),
            "access_key": env.str("DJANGO_AWS_ACCESS_KEY_ID", None),
            "secret_key": env.str("DJANGO_AWS_SECRET_ACCESS_KEY", None),
            "location": location,
            **options,
        },
    }


STORAGES["default"] = bucket("media", custom_domain=domain, file_overwrite=False)
STORAGES["published"] = bucket(
    "static", object_parameters={"CacheControl": "public, max-age=31536000, immutable"}
)
