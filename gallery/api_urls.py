"""Addresses of this app below /api/v1/."""

from django.urls import path

from gallery import api

_VERSION = "notebooks/<slug:slug>/versions/<int:number>/"
urlpatterns = [
    path(f"{_VERSION}ipynb/", api.VersionIpynbView.as_view(), name="version-ipynb"),
    path(f"{_VERSION}diff/", api.VersionDiffView.as_view(), name="version-diff"),
]
