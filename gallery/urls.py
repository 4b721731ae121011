"""Addresses of the gallery."""

from django.urls import path

from gallery import views

app_name = "gallery"
_VERSION = "notebooks/<slug:slug>/versions/<int:number>/"
urlpatterns = [
    path("", views.catalog, name="catalog"),
    path("notebooks/new/", views.upload, name="upload"),
    path("notebooks/<slug:slug>/", views.notebook, name="notebook"),
    path("notebooks/<slug:slug>/edit/", views.edit, name="edit"),
    path(
        "notebooks/<slug:slug>/versions/new/",
        views.upload_version,
        name="upload-version",
    ),
    path(_VERSION, views.version, name="version"),
    path(f"{_VERSION}ipynb/", views.version_ipynb, name="version-ipynb"),
    path(f"{_VERSION}diff/", views.diff, name="diff"),
]
