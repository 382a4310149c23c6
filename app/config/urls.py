from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from .views import static

urlpatterns = [
    path("", include("notes.urls")),
    path(settings.ADMIN_URL, admin.site.urls),
]
if "published" in settings.STORAGES:
    urlpatterns.append(path("static/<path:name>", static))
if settings.DEPLOYMENT_ENDPOINTS:
    urlpatterns.append(path("", include("deployment.urls")))
