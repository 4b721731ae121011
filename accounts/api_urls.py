"""Addresses of this app below /api/v1/."""

from django.urls import path

from accounts import api

urlpatterns = [
    path("session/", api.SessionView.as_view(), name="session"),
    path("personas/", api.PersonasView.as_view(), name="personas"),
]
