from django.conf import settings
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("notes.urls")),
    path(settings.ADMIN_URL, admin.site.urls),
]
if settings.DEPLOYMENT_ENDPOINTS:
    urlpatterns.append(path("", include("deployment.urls")))
