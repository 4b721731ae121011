"""The gallery's application configuration."""

from django.apps import AppConfig


class GalleryConfig(AppConfig):
    """Notebooks and versions."""

    name = "gallery"
