"""Do the electronic signatures hold?"""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from reviews.approval import verify_signatures


class Command(BaseCommand):
    """Names every row that does not hold, and exits 1 when there is one."""

    help = "Check every electronic signature, and every approval that is in force."

    def handle(self, *args: Any, **options: Any) -> None:
        """Check them all."""
        verdict = verify_signatures()
        for bad in verdict.bad:
            self.stderr.write(f"{bad.row}: {bad.message}")
        if not verdict.hold:
            self.stderr.write(f"{len(verdict.bad)} rows do not hold.")
            sys.exit(1)
        self.stdout.write(f"All {verdict.checked} signatures hold.")
