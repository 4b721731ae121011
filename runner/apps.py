"""The runner's application configuration."""

from django.apps import AppConfig


class RunnerConfig(AppConfig):
    """Runs and what they leave."""

    name = "runner"
