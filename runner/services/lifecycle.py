"""The life of a run after its request: claim, start, cells, end."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.models import User
from audit.log import record
from audit.transitions import move
from gallery.models import Version
from runner.models import Run, RunCell, RunResult
from runner.policies import claim_blockers, expiry_blockers
from runner.progress import signal_change
from runner.results.vault import seal
from runner.services.live_outputs import forget_outputs
from runner.workflow import TRANSITIONS, Status


@dataclass(frozen=True)
class Ending:
    """How a run ended and what it leaves; None where it left nothing."""

    status: str
    error: dict[str, Any] | None = None
    rows_read: int | None = None
    notebook: bytes | None = field(default=None, repr=False)
    html: bytes | None = field(default=None, repr=False)
    statements: bytes = field(default=b"[]", repr=False)


def get_run(run_id: UUID) -> Run:
    """Return the run with everything that its policies read."""
    return Run.objects.select_related(
        "notebook", "version__notebook", "requested_by"
    ).get(pk=run_id)


@transaction.atomic
def claim_run(*, run_id: UUID, now: datetime) -> Run | None:
    """Take a queued run for this worker; None when there is nothing to do.

    Approval and digest are checked again under the version's row lock; a run that
    may no longer start is ended here.
    """
    locked = (
        Run.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        .filter(pk=run_id, status=Status.QUEUED)
        .first()
    )
    if locked is None:
        return None
    Version.objects.select_for_update(no_key=True).get(pk=locked.version_id)
    run = get_run(run_id)
    blockers = claim_blockers(run)
    if not run.is_preview:
        blockers += expiry_blockers(run.version, now=now)
    if blockers:
        end_unclaimed(
            run, code=blockers[0].code, message=blockers[0].message, by=None, now=now
        )
        return None
    move(
        run,
        to=Status.STARTING,
        table=TRANSITIONS,
        by=None,
        now=now,
        claimed_at=now,
        heartbeat_at=now,
    )
    transaction.on_commit(partial(signal_change, run.pk))
    return run


def end_unclaimed(
    run: Run, *, code: str, message: str, by: User | None, now: datetime
) -> None:
    """End a run that no worker has started, inside the caller's transaction."""
    move(
        run,
        to=Status.CANCELLED,
        table=TRANSITIONS,
        by=by,
        now=now,
        data={"code": code},
        finished_at=now,
        error={"code": code, "message": message, "cell": None},
    )
    transaction.on_commit(partial(signal_change, run.pk))


@transaction.atomic
def start_run(*, run: Run, evidence: dict[str, Any], now: datetime) -> None:
    """Note that the kernel is confined and ready.  Raises StaleState."""
    move(
        run,
        to=Status.RUNNING,
        table=TRANSITIONS,
        by=None,
        now=now,
        started_at=now,
        heartbeat_at=now,
        evidence=evidence,
    )
    transaction.on_commit(partial(signal_change, run.pk))


def beat(*, run: Run, now: datetime) -> bool:
    """Show that the worker lives; False when the run is no longer its."""
    return bool(
        Run.objects.filter(pk=run.pk, status=run.status).update(heartbeat_at=now)
    )


def note_data_read(*, run: Run, now: datetime) -> None:
    """Keep when the first statement reached the data source."""
    Run.objects.filter(pk=run.pk, data_read_at=None).update(data_read_at=now)


@transaction.atomic
def note_cell(
    *, run: Run, index: int, status: str, duration_ms: int | None, now: datetime
) -> None:
    """Keep a cell's state; a finished one counts as done."""
    RunCell.objects.update_or_create(
        run=run,
        index=index,
        defaults={"status": status, "duration_ms": duration_ms},
    )
    done = run.cells.exclude(status="running").count()
    Run.objects.filter(pk=run.pk, status=Status.RUNNING).update(
        cells_done=done, heartbeat_at=now
    )
    transaction.on_commit(partial(signal_change, run.pk))


@transaction.atomic
def finish_run(*, run: Run, ending: Ending, now: datetime) -> None:
    """Store what the run leaves and end it.  Raises StaleState if it is not ours."""
    if ending.notebook is not None and ending.html is not None:
        _store_result(run, ending, ending.notebook, ending.html, now=now)
    move(
        run,
        to=ending.status,
        table=TRANSITIONS,
        by=None,
        now=now,
        data={
            "code": (ending.error or {}).get("code", ""),
            "rows_read": ending.rows_read,
            "notebook_sha256": _sha256(ending.notebook),
        },
        finished_at=now,
        error=ending.error,
        rows_read=ending.rows_read,
    )
    forget_outputs(run_id=run.pk)
    transaction.on_commit(partial(signal_change, run.pk))


def _store_result(
    run: Run, ending: Ending, notebook: bytes, html: bytes, *, now: datetime
) -> None:
    keys = settings.RESULT_KEYS
    RunResult.objects.create(
        run=run,
        notebook=seal(notebook, keys=keys, associated=f"{run.pk}/notebook"),
        html=seal(html, keys=keys, associated=f"{run.pk}/html"),
        statements=seal(
            ending.statements, keys=keys, associated=f"{run.pk}/statements"
        ),
        notebook_sha256=_sha256(notebook),
        html_sha256=_sha256(html),
        stored_at=now,
        expires_at=now + timedelta(days=settings.RESULT_RETENTION_DAYS),
    )
    # The result holds all of them; only a run without one keeps them apart.
    run.statement_batches.all().delete()


def _sha256(data: bytes | None) -> str:
    return hashlib.sha256(data).hexdigest() if data is not None else ""


@transaction.atomic
def note_lease(*, run: Run, action: str, role: str, now: datetime) -> None:
    """Record that the run's login was opened or closed."""
    record(action, by=None, at=now, target=run, role=role)
