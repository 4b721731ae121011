"""Move every stored result to the first of RESULT_KEYS, so that old keys can go."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from runner.results.rotation import rotate_keys
from runner.results.vault import VaultError


class Command(BaseCommand):
    """Put the new key first in RESULT_KEYS, restart, run this, drop the old key."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate and say how many results changed."""
        try:
            changed = rotate_keys(now=timezone.now())
        except VaultError as error:
            message = f"A result does not open ({type(error).__name__}): {error}"
            raise CommandError(message) from error
        self.stdout.write(
            f"{changed} results moved to the first key. The keys after it are unused."
        )
