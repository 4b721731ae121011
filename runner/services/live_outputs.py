"""What a run under way has shown: stored sealed, part by part, and gone at its end."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction

from runner.models import Run, RunOutput
from runner.progress import signal_change
from runner.results.parts import LivePart, seal_part
from runner.workflow import FINAL, Status


@transaction.atomic
def append_outputs(
    *, run_id: UUID, parts: Sequence[LivePart], after: int, now: datetime
) -> int | None:
    """Store `parts` after place `after`; return the last place, None when it is over.

    The run's row is locked, so that no part can outlive the end of its run.
    """
    running = Run.objects.select_for_update(no_key=True).filter(
        pk=run_id, status=Status.RUNNING
    )
    if running.first() is None:
        return None
    rows: list[RunOutput] = []
    for sequence, part in enumerate(parts, start=after + 1):
        if part.replaces:
            RunOutput.objects.filter(run=run_id, cell=part.cell).delete()
            rows = [row for row in rows if row.cell != part.cell]
        rows.append(
            RunOutput(
                run_id=run_id,
                sequence=sequence,
                cell=part.cell,
                replaces=part.replaces,
                html=seal_part(
                    part, run_id=run_id, sequence=sequence, keys=settings.RESULT_KEYS
                ),
                stored_at=now,
            )
        )
    RunOutput.objects.bulk_create(rows)
    transaction.on_commit(partial(signal_change, run_id))
    return after + len(parts)


def forget_outputs(*, run_id: UUID) -> None:
    """Erase what the run showed while it ran; part of the transaction that ends it."""
    RunOutput.objects.filter(run=run_id).delete()


def forget_leftover_outputs() -> int:
    """Erase what runs that have ended still hold; return how many rows.  None, if all is well."""
    deleted, _ = RunOutput.objects.filter(run__status__in=FINAL).delete()
    return deleted
