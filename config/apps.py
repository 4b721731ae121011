"""The application of the wiring itself."""

from django.apps import AppConfig

from config.celery import app


class ConfigApp(AppConfig):
    """Every process that has the applications has Celery's, too: `shared_task` joins it."""

    name = "config"
    celery_app = app
