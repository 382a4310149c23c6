from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

SHORTEST_TOKEN = 16


class DeploymentConfig(AppConfig):
    """What a release needs from the application: health checks, and a way to migrate over HTTP."""

    name = "deployment"

    def ready(self):
        if settings.DEPLOYMENT_ENDPOINTS and len(settings.DEPLOYMENT_TOKEN) < SHORTEST_TOKEN:
            raise ImproperlyConfigured(
                f"SINGLE_CD_AUTHORIZATION_TOKEN: want at least {SHORTEST_TOKEN} characters with "
                f"DJANGO_DEPLOYMENT_ENDPOINTS, got {len(settings.DEPLOYMENT_TOKEN)}; set it, or leave the endpoints off"
            )
