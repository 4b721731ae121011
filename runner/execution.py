"""Supervise one run in a Celery worker: claim, lease, kernel host, result.

The worker holds no kernel: it talks to the kernel host over a unix socket, watches
whether the run may go on, and stores what comes back.
"""

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections
from django.utils import timezone

from accounts.policies import Blocker
from audit.transitions import StaleState
from gallery.arranged import as_run, as_signed
from gallery.intake.sensitive import sensitive_widgets
from gallery.limits import run_limits
from gallery.parameters.names import INJECTED_TAG, has_tag
from gallery.queries import document
from runner.access.errors import AccessError
from runner.access.kinds.known import kind_of
from runner.access.leases import Lease
from runner.cell_states import CellStates
from runner.kernelhost.client import (
    ConnectionLost,
    DataSourceRequest,
    ExecuteRequest,
    KernelHostUnavailable,
    Session,
)
from runner.kernelhost.client import execute as execute_on_host
from runner.live.withheld import Withheld
from runner.live_outputs import LiveOutputs
from runner.models import Run
from runner.parameters.inject import inject
from runner.policies import stop_reason
from runner.results import unrendered
from runner.results.rendering import render
from runner.services.lifecycle import (
    Ending,
    beat,
    claim_run,
    finish_run,
    get_run,
    note_data_read,
    note_lease,
    start_run,
    without_page,
)
from runner.services.sealed_batches import keep_statements
from runner.sessions.limits import session_limits
from runner.sessions.session import LiveSession
from runner.workflow import Status

logger = logging.getLogger(__name__)

#: How often the supervisor looks around (seconds).
TICK_S = 1.0
#: How long nothing comes from a notebook before what came is kept (seconds).
QUIET_S = 0.1

#: What an exception class may be called; anything else could carry a value.
_CLASS_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,60}")

Clock = Callable[[], datetime]


#: What a reader is told; the author sees cell, line and exception class beside it.
SENTENCES = {
    "notebook_error": "The notebook stopped with an error.",
    "permission_denied": "The notebook asked for data that you may not see.",
    "timed_out": "The notebook took longer than it may.",
    "cancelled": "It was cancelled.",
    "kernel_died": "The notebook's program ended unexpectedly.",
    "out_of_memory": "The notebook needed more memory than a run may use.",
    "output_limit": "The notebook wrote more output than a run may.",
    unrendered.CODE: unrendered.SENTENCE,
    "kernel_host_gone": "The service that runs notebooks was not there. Run it again.",
}


@dataclass
class Watch:
    """What the supervisor has seen of its run so far."""

    statements: list[dict[str, Any]] = field(default_factory=list)
    #: How many of them are in the database already.
    kept: int = 0
    looked_at: datetime | None = None
    stop: Blocker | None = None
    denied: AccessError | None = None
    finished: dict[str, Any] | None = None
    live: LiveSession | None = None


class RunLost(Exception):
    """The run is no longer this worker's: somebody ended it."""


def execute(run_id: UUID, *, clock: Clock = timezone.now) -> None:
    """Execute a queued run to its end; do nothing if somebody else has it."""
    run = claim_run(run_id=run_id, now=clock())
    if run is None:
        return
    logger.info("run.claimed run_id=%s", run.pk)
    try:
        watch = _supervise(run, clock)
        with _beating(run, clock):
            ending = _ending_or_failure(run, watch)
            finish_run(run=get_run(run.pk), ending=ending, now=clock())
    except (RunLost, StaleState):
        logger.warning("run.taken_away run_id=%s", run.pk)
        return
    logger.info("run.finished run_id=%s status=%s", run.pk, ending.status)


def _supervise(run: Run, clock: Clock) -> Watch:
    """Run the notebook under its leases; when this returns, both are gone."""
    watch = Watch()
    try:
        with _leases(run, clock) as leases:
            _watch_host(run, watch, leases, clock)
    except AccessError as refusal:
        logger.warning("run.lease_refused run_id=%s code=%s", run.pk, refusal.code)
        watch.denied = refusal
    except (KernelHostUnavailable, ConnectionLost):
        logger.exception("run.kernel_host_unavailable run_id=%s", run.pk)
    finally:
        _keep(run, watch, clock)
    return watch


def _keep(run: Run, watch: Watch, clock: Clock) -> None:
    """Seal the statements that came since the last time: what was asked is known."""
    if watch.live is not None:
        watch.live.keep(now=clock())
    new = watch.statements[watch.kept :]
    keep_statements(run=run, first=watch.kept, statements=new, now=clock())
    watch.kept += len(new)


@contextmanager
def _leases(run: Run, clock: Clock) -> Iterator[list[Lease]]:
    """Open a login per data source; close every one whatever happens."""
    opened: list[Lease] = []
    try:
        for name in run.version.data_sources:
            found = settings.DATA_SOURCES[name]
            dsns = found.for_kind(run.kind)
            opened.append(kind_of(found).open(dsns, run_id=run.pk, source=name))
            note_lease(
                run=run, action="lease.opened", role=opened[-1].role, now=clock()
            )
        yield opened
    finally:
        for lease in opened:
            _close(run, lease, clock)


def _close(run: Run, lease: Lease, clock: Clock) -> None:
    """Close one login; where that fails it reads nothing, and the reaper drops it."""
    found = settings.DATA_SOURCES[lease.source]
    try:
        kind_of(found).close(found.for_kind(run.kind), run_id=run.pk)
    except AccessError as error:
        logger.warning("lease.close_failed run_id=%s code=%s", run.pk, error.code)
        return
    note_lease(run=run, action="lease.closed", role=lease.role, now=clock())


def _watch_host(run: Run, watch: Watch, leases: list[Lease], clock: Clock) -> None:
    notebook = as_run(run.version, document(run.version))
    if run.injected_source:
        notebook = inject(notebook, run.injected_source)
    request = ExecuteRequest(
        run_id=run.pk.hex,
        environment=run.version.environment,
        environment_lock_sha256=run.version.environment_lock_sha256,
        kernel_name=run.version.kernel_name,
        notebook=notebook,
        limits=run_limits(run.version) | session_limits(run),
        data_sources=tuple(_data_source(lease) for lease in leases),
        live=run.is_live,
    )
    cells = CellStates(run, now=clock())
    # The claim has just looked around.
    watch.looked_at = clock()
    session = execute_on_host(settings.KERNEL_HOST_SOCKET, request)
    try:
        with _audience(run, notebook, session, watch) as audience:
            for event in session.events(timeout_s=QUIET_S):
                if event is not None:
                    _handle(run, watch, event, clock)
                    cells.take(event)
                    audience.take(event, now=clock())
                is_over = watch.finished is not None
                cells.keep(now=clock(), at_once=is_over or event is None)
                if is_over:
                    return
                _look_around(run, watch, session, clock)
                if watch.stop is None:
                    audience.show(now=clock())
    finally:
        session.close()


@contextmanager
def _audience(
    run: Run, notebook: dict[str, Any], session: Session, watch: Watch
) -> Iterator[LiveOutputs | LiveSession]:
    """Give what shows the run while it goes on: as it comes, or to pages that answer."""
    if not run.is_live:
        yield LiveOutputs(run.pk, as_signed(run.version, notebook))
        return
    withheld = Withheld(sensitive_widgets(notebook))
    with LiveSession(run, session, withheld).open() as live:
        watch.live = live
        yield live


def _data_source(lease: Lease) -> DataSourceRequest:
    return DataSourceRequest(
        name=lease.source,
        host=lease.host,
        port=lease.port,
        database=lease.database,
        user=lease.role,
        password=lease.password.reveal(),
        sslmode=lease.sslmode,
        limits=dict(settings.QUERY_LIMITS),
    )


def _handle(run: Run, watch: Watch, event: dict[str, Any], clock: Clock) -> None:
    """Store what one event of the kernel host says."""
    match event["event"]:
        case "accepted":
            start_run(run=run, evidence=event.get("evidence", {}), now=clock())
        case "statement":
            if not watch.statements:
                note_data_read(run=run, now=clock())
            watch.statements.append(event)
        case "finished" | "refused":
            watch.finished = event


def _look_around(run: Run, watch: Watch, session: Session, clock: Clock) -> None:
    """Beat once a second, and stop the kernel when the run may not go on.

    Raises RunLost when somebody else has ended the run.
    """
    now = clock()
    if watch.looked_at is not None and (now - watch.looked_at).total_seconds() < TICK_S:
        return
    watch.looked_at = now
    _keep(run, watch, clock)
    if not beat(run=run, now=now):
        raise RunLost
    reason = None if watch.stop else _stop_reason(run, watch)
    if reason is None:
        return
    if watch.live is not None and reason.code == "cancelled":
        watch.live.end("reader")  # who ends a live page has not cancelled it
        return
    watch.stop = reason
    session.cancel()


def _stop_reason(run: Run, watch: Watch) -> Blocker | None:
    seen = watch.live.stop if watch.live else None
    return seen or stop_reason(get_run(run.pk))


@contextmanager
def _beating(run: Run, clock: Clock) -> Iterator[None]:
    """Beat from a thread meanwhile: rendering a large result takes its time."""
    done = threading.Event()

    def keep_beating() -> None:
        try:
            while not done.wait(TICK_S):
                beat(run=run, now=clock())
        finally:
            connections.close_all()

    thread = threading.Thread(target=keep_beating, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _ending_or_failure(run: Run, watch: Watch) -> Ending:
    """Say how the run ended; an output that cannot be shown takes nothing with it."""
    finished = watch.finished or {}
    try:
        ending = _ending(run, watch)
    except Exception as error:  # noqa: BLE001  hostile outputs may break anything here
        _log_unrendered(run, error)
        return Ending(
            status=Status.FAILED,
            error=_problem(unrendered.CODE),
            rows_read=finished.get("rows_read"),
        )
    if ending.notebook is None:
        return ending
    try:
        page = render(
            as_signed(run.version, finished["notebook"]),
            truncated=finished.get("truncated", []),
            is_live=run.is_live,
        )
    except Exception as error:  # noqa: BLE001  and here
        _log_unrendered(run, error)
        return without_page(ending)
    return replace(ending, html=page.html)


def _log_unrendered(run: Run, error: Exception) -> None:
    """Log the class alone: a message may quote what the notebook printed."""
    logger.error("run.not_rendered run_id=%s %s", run.pk, type(error).__name__)


def _ending(run: Run, watch: Watch) -> Ending:
    """Say how the run ended, its page aside; leases and kernel are gone by now."""
    if watch.denied is not None:
        return Ending(
            status=Status.ACCESS_DENIED,
            error=_problem(watch.denied.code, watch.denied.message),
        )
    finished = watch.finished
    if finished is None:
        return Ending(status=Status.FAILED, error=_problem("kernel_host_gone"))
    if finished["event"] == "refused":
        return Ending(
            status=Status.FAILED, error=_problem(finished["code"], finished["message"])
        )
    error = _without_values(finished["error"], finished["notebook"])
    if finished["status"] == Status.CANCELLED and watch.stop is not None:
        error = _problem(watch.stop.code, watch.stop.message)
    return Ending(
        status=finished["status"],
        error=error,
        rows_read=finished.get("rows_read"),
        ended_by=watch.live.ended_by if watch.live else "",
        notebook=_as_bytes(finished["notebook"]),
        statements=json.dumps(watch.statements).encode(),
    )


def _without_values(
    error: dict[str, Any] | None, notebook: dict[str, Any]
) -> dict[str, Any] | None:
    """Keep where and what kind of error it was; its message may hold patient data.

    The cell is counted in the version, which has no cell of injected parameters.
    """
    if error is None:
        return None
    cell, exception = error.get("cell"), error.get("exception")
    injected = [has_tag(each, INJECTED_TAG) for each in notebook["cells"]]
    if cell is not None:
        cell -= sum(injected[:cell])
    if exception is not None and not _CLASS_NAME.fullmatch(str(exception)):
        exception = "Error"
    return {
        **_problem(str(error.get("code"))),
        "cell": cell,
        "line": error.get("line"),
        "exception": exception,
    }


def _problem(code: str, message: str = "") -> dict[str, Any]:
    sentence = message or SENTENCES.get(code, SENTENCES["notebook_error"])
    return {"code": code, "message": sentence, "cell": None}


def _as_bytes(notebook: dict[str, Any]) -> bytes:
    return json.dumps(notebook, ensure_ascii=False, indent=1).encode("utf-8")
