"""Load the demo's people and notebooks; with `--runs`, queue the first runs."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.demo.loading import load_notebooks, load_people, request_first_runs


class Command(BaseCommand):
    """Safe to repeat: what is there already is left as it is."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Take `--runs`."""
        parser.add_argument(
            "--runs", action="store_true", help="queue one run per persona instead"
        )

    def handle(self, *args: Any, runs: bool, **options: Any) -> None:
        """Print a line for each thing that was made."""
        if not settings.DEMO:
            message = (
                "The demo's people have a public password: set DEMO=1 to load them."
            )
            raise CommandError(message)
        for line in request_first_runs(clock=timezone.now) if runs else _load():
            self.stdout.write(f"  {line}")


def _load() -> Any:
    yield from load_people(now=timezone.now())
    yield from load_notebooks(clock=timezone.now)
