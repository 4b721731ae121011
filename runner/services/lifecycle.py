"""The life of a run after its request: claim, start, cells, end."""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
from runner.progress import signal_change, signal_end
from runner.results import unrendered
from runner.results.storing import insert_result
from runner.results.vault import MAX_BYTES, VaultError, seal
from runner.services.live_outputs import forget_outputs
from runner.services.turns import hand_on, lock_next_run
from runner.workflow import TRANSITIONS, Status

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ending:
    """How a run ended and what it leaves; None where it left nothing."""

    status: str
    error: dict[str, Any] | None = None
    rows_read: int | None = None
    #: Why a live session was ended, in a word: `left`, `idle`, `session_limit`.
    ended_by: str = ""
    notebook: bytes | None = field(default=None, repr=False)
    html: bytes | None = field(default=None, repr=False)
    statements: bytes = field(default=b"[]", repr=False)


@dataclass(frozen=True)
class CellState:
    """How a cell goes: running, ok or error, and how long it took once it has ended."""

    status: str
    duration_ms: int | None = None


def without_page(ending: Ending) -> Ending:
    """Return the same end with a sentence for a page; no success, when it was one."""
    if ending.status == Status.SUCCEEDED:
        error = {
            "code": unrendered.CODE,
            "message": unrendered.SENTENCE,
            "cell": None,
        }
        ending = replace(ending, status=Status.FAILED, error=error)
    return replace(ending, html=unrendered.HTML)


def get_run(run_id: UUID) -> Run:
    """Return the run with everything that its policies read; the document comes when asked."""
    runs = Run.objects.select_related("notebook", "version__notebook", "requested_by")
    return runs.defer("version__document").get(pk=run_id)


@transaction.atomic
def claim_run(*, run_id: UUID, now: datetime) -> Run | None:
    """Take the run whose turn it is in this run's queue; None when none may start.

    A message is a ticket for a turn, not for a run: as many come as runs wait, so that
    each gets its own. Approval and digest are checked again under the version's row
    lock; a run that may no longer start is ended here.
    """
    locked = lock_next_run(run_id)
    if locked is None:
        return None
    Version.objects.select_for_update(no_key=True).only("pk").get(pk=locked.version_id)
    run = get_run(locked.pk)
    blockers = claim_blockers(run)
    if not run.is_preview:
        blockers += expiry_blockers(run.version, now=now)
    if blockers:
        end_unclaimed(
            run, code=blockers[0].code, message=blockers[0].message, by=None, now=now
        )
        hand_on(run)  # its turn is the next one's
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
    transaction.on_commit(partial(signal_end, run.pk))


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
    """Keep when the first statement reached the data source; nothing of an ended run."""
    unread = Run.objects.filter(pk=run.pk, data_read_at=None, finished_at=None)
    unread.update(data_read_at=now)


@transaction.atomic
def note_cells(*, run: Run, cells: Mapping[int, CellState], now: datetime) -> None:
    """Keep the state of cells, by their index; finished ones count as done."""
    RunCell.objects.bulk_create(
        [
            RunCell(
                run=run, index=index, status=cell.status, duration_ms=cell.duration_ms
            )
            for index, cell in cells.items()
        ],
        update_conflicts=True,
        unique_fields=["run", "index"],
        update_fields=["status", "duration_ms"],
    )
    done = run.cells.exclude(status="running").count()
    Run.objects.filter(pk=run.pk, status=Status.RUNNING).update(
        cells_done=done, heartbeat_at=now
    )
    transaction.on_commit(partial(signal_change, run.pk))


def finish_run(*, run: Run, ending: Ending, now: datetime) -> None:
    """Store what the run leaves and end it.  Raises StaleState if it is not ours.

    What cannot be sealed takes nothing else with it: the page gives way to a sentence,
    then the result to the statements, which were kept while it ran.
    """
    ending, sealed = _sealed(run, ending)
    with transaction.atomic():
        if sealed is not None:
            _store_result(run, ending, sealed, now=now)
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
                **({"ended_by": ending.ended_by} if ending.ended_by else {}),
            },
            finished_at=now,
            error=ending.error,
            rows_read=ending.rows_read,
        )
        forget_outputs(run_id=run.pk)
        transaction.on_commit(partial(signal_end, run.pk))
        hand_on(run)


def _sealed(run: Run, ending: Ending) -> tuple[Ending, dict[str, bytes] | None]:
    """Return what is sealed of an ending, and the ending that is then true."""
    if ending.notebook is None or ending.html is None:
        return ending, None
    for possible in (ending, without_page(ending)):
        try:
            return possible, _parts(run, possible)
        except VaultError as error:
            logger.error("run.not_sealed run_id=%s %s", run.pk, type(error).__name__)
    return replace(without_page(ending), notebook=None, html=None), None


def _parts(run: Run, ending: Ending) -> dict[str, bytes]:
    """Seal each part.  Raises VaultError."""
    parts = {"notebook": ending.notebook, "html": ending.html}
    # More statements than can be sealed in one piece stay where they were kept.
    fits = len(ending.statements) <= MAX_BYTES
    parts["statements"] = ending.statements if fits else b"[]"
    return {
        name: seal(
            part or b"", keys=settings.RESULT_KEYS, associated=f"{run.pk}/{name}"
        )
        for name, part in parts.items()
    }


def _store_result(
    run: Run, ending: Ending, sealed: dict[str, bytes], *, now: datetime
) -> None:
    insert_result(
        RunResult(
            run=run,
            **sealed,
            notebook_sha256=_sha256(ending.notebook),
            html_sha256=_sha256(ending.html),
            stored_at=now,
            expires_at=now + timedelta(days=settings.RESULT_RETENTION_DAYS),
        )
    )
    if len(ending.statements) <= MAX_BYTES:
        # The result holds all of them; only a run without one keeps them apart.
        run.statement_batches.all().delete()


def _sha256(data: bytes | None) -> str:
    return hashlib.sha256(data).hexdigest() if data is not None else ""


@transaction.atomic
def note_lease(*, run: Run, action: str, role: str, now: datetime) -> None:
    """Record that the run's login was opened or closed."""
    record(action, by=None, at=now, target=run, role=role)
