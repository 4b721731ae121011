"""Sign the newest event of the audit log."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from audit.checkpoints import sign_checkpoint


class Command(BaseCommand):
    """Prints the checkpoint; keep a copy where this database's owner cannot reach."""

    help = "Sign the audit log's head, keep the checkpoint and print it."

    def handle(self, *args: Any, **options: Any) -> None:
        checkpoint = sign_checkpoint(now=timezone.now())
        if checkpoint is None:
            self.stderr.write("There are no events yet, so there is nothing to sign.")
            return
        self.stdout.write(checkpoint.note, ending="")
