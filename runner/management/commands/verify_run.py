"""Prove from the stored notebook that only the recorded parameters were added."""

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from gallery.arranged import as_run
from gallery.queries import document
from runner.models import Run
from runner.parameters.verify import verify_document
from runner.results.vault import unseal


class Command(BaseCommand):
    """Compare a run's stored notebook with the bytes that were approved."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the run's id."""
        parser.add_argument("run_id", type=UUID)

    def handle(self, *args: Any, run_id: UUID, **options: Any) -> None:
        """Print what holds, or fail with every difference."""
        run = Run.objects.select_related("version", "result").filter(pk=run_id).first()
        if run is None or not hasattr(run, "result") or run.result.notebook is None:
            message = f"There is no stored result of run {run_id}."
            raise CommandError(message)
        executed = json.loads(
            unseal(
                bytes(run.result.notebook),
                keys=settings.RESULT_KEYS,
                associated=f"{run.pk}/notebook",
            )
        )
        problems = verify_document(
            approved=as_run(run.version, document(run.version)),
            executed=as_run(run.version, executed),
            schema=run.version.parameters,
            values=run.parameters,
        )
        if problems:
            raise CommandError("\n".join(problems))
        self.stdout.write(
            f"Run {run.pk}: the stored notebook is version {run.version.number} "
            f"({run.digest[:8]}) with the recorded parameters and nothing else."
        )
