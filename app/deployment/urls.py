from django.urls import path

from . import views

urlpatterns = [
    path("migrate/", views.migrate),
    path("collectstatic/", views.collectstatic),
]
