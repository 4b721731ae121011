"""The reviews' application configuration."""

from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    """Reviews, sign-offs, signatures."""

    name = "reviews"
