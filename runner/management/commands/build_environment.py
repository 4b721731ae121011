"""Build a notebook environment from its lock."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from runner.building import BuildFailed, UnknownLock, build


class Command(BaseCommand):
    """`manage.py build_environment python-analytics`."""

    help = (
        "Build a notebook environment into ENVIRONMENTS_DIR from environments/NAME.txt, exactly as "
        "locked. Runs go on meanwhile; the kernel host takes the new one for its next runs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The environment's name."""
        parser.add_argument("name", help="the lock's name, without .txt")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        """Build, and say what became of it."""
        try:
            is_new = build(
                name,
                locks=settings.ENVIRONMENT_LOCKS_DIR,
                environments=settings.ENVIRONMENTS_DIR,
            )
        except (UnknownLock, BuildFailed) as problem:
            raise CommandError(str(problem)) from None
        if is_new:
            self.stdout.write(f"{name} is built. Notebooks that were approved with")
            self.stdout.write("other packages have to be uploaded and approved again.")
        else:
            self.stdout.write(f"{name} is built from this lock already.")
