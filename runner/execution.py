"""Supervise one run in a Celery worker: claim, lease, kernel host, result.

The worker holds no kernel: it talks to the kernel host over a unix socket, watches
whether the run may go on, and stores what comes back.
"""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from audit.transitions import StaleState
from gallery.queries import document
from runner.access.leases import (
    Lease,
    LeaseRefused,
    close_lease,
    open_lease,
)
from runner.kernelhost.client import (
    ExecuteRequest,
    HostUnavailable,
    Session,
    execute as execute_on_host,
)
from runner.models import Run
from runner.parameters.inject import inject
from runner.policies import stop_reason
from runner.results.rendering import render
from runner.services.lifecycle import (
    Ending,
    beat,
    claim_run,
    finish_run,
    get_run,
    note_cell,
    note_data_read,
    note_lease,
    start_run,
)
from runner.workflow import Status

logger = logging.getLogger(__name__)

#: How long the supervisor waits for an event before it looks around (seconds).
TICK_S = 1.0

Clock = Callable[[], datetime]


@dataclass
class Watch:
    """What the supervisor has seen of its run so far."""

    statements: list[dict[str, Any]] = field(default_factory=list)
    stop: str | None = None
    stop_message: str = ""
    finished: dict[str, Any] | None = None


class RunLost(Exception):
    """The run is no longer this worker's: somebody ended it."""


def execute(run_id: UUID, *, clock: Clock = timezone.now) -> None:
    """Execute a queued run to its end; do nothing if somebody else has it."""
    run = claim_run(run_id=run_id, now=clock())
    if run is None:
        return
    logger.info("run.claimed run_id=%s", run.pk)
    try:
        ending = _with_leases(run, clock)
        finish_run(run=get_run(run.pk), ending=ending, now=clock())
    except (RunLost, StaleState):
        logger.warning("run.taken_away run_id=%s", run.pk)
        return
    logger.info("run.finished run_id=%s status=%s", run.pk, ending.status)


def _with_leases(run: Run, clock: Clock) -> Ending:
    try:
        with _leases(run, clock) as leases:
            return _on_host(run, leases, clock)
    except LeaseRefused as refusal:
        logger.warning("run.lease_refused run_id=%s code=%s", run.pk, refusal.code)
        return Ending(
            status=Status.ACCESS_DENIED,
            error={"code": refusal.code, "message": refusal.message, "cell": None},
        )


@contextmanager
def _leases(run: Run, clock: Clock) -> Iterator[list[Lease]]:
    """Open a login per data source; close every one whatever happens."""
    opened: list[tuple[str, Lease]] = []
    try:
        for name in run.version.data_sources:
            dsns = settings.DATA_SOURCES[name].for_kind(run.kind)
            lease = open_lease(dsns, run_id=run.pk)
            opened.append((name, lease))
            note_lease(run=run, action="lease.opened", role=lease.role, now=clock())
        yield [lease for _, lease in opened]
    finally:
        for name, lease in opened:
            close_lease(
                settings.DATA_SOURCES[name].for_kind(run.kind), run_id=run.pk
            )
            note_lease(run=run, action="lease.closed", role=lease.role, now=clock())


def _on_host(run: Run, leases: list[Lease], clock: Clock) -> Ending:
    notebook = document(run.version)
    if run.injected_source:
        notebook = inject(notebook, run.injected_source)
    request = ExecuteRequest(
        run_id=run.pk.hex,
        environment=run.version.environment,
        kernel_name=run.version.kernel_name,
        notebook=notebook,
        limits=dict(settings.RUN_LIMITS),
        data_sources=[_data_source(lease) for lease in leases],
    )
    watch = Watch()
    try:
        session = execute_on_host(settings.KERNEL_HOST_SOCKET, request)
    except HostUnavailable as error:
        return _not_started("kernel_host_unavailable", str(error))
    try:
        for event in session.events(timeout_s=TICK_S):
            _handle(run, watch, event, clock)
            _look_around(run, watch, session, clock)
            if watch.finished is not None:
                break
    finally:
        session.close()
    return _ending(run, watch, clock)


def _data_source(lease: Lease) -> dict[str, Any]:
    return {
        "name": lease.source,
        "host": lease.host,
        "port": lease.port,
        "database": lease.database,
        "user": lease.role,
        "password": lease.password.reveal(),
        "sslmode": lease.sslmode,
        "limits": dict(settings.QUERY_LIMITS),
    }


def _handle(
    run: Run, watch: Watch, event: dict[str, Any] | None, clock: Clock
) -> None:
    kind = event["event"] if event else ""
    if event is None:
        return
    if kind == "accepted":
        start_run(run=run, evidence=event.get("evidence", {}), now=clock())
    elif kind == "cell_started":
        note_cell(
            run=run,
            index=event["cell"],
            status="running",
            duration_ms=None,
            now=clock(),
        )
    elif kind == "cell_finished":
        note_cell(
            run=run,
            index=event["cell"],
            status=event["status"],
            duration_ms=event.get("duration_ms"),
            now=clock(),
        )
    elif kind == "statement":
        watch.statements.append(event)
        note_data_read(run=run, now=clock())
    elif kind in {"finished", "refused"}:
        watch.finished = event


def _look_around(run: Run, watch: Watch, session: Session, clock: Clock) -> None:
    """Beat, and stop the kernel when the run may not go on."""
    now = clock()
    if not beat(run=run, now=now):
        raise RunLost
    if watch.stop is not None or watch.finished is not None:
        return
    reason = stop_reason(get_run(run.pk))
    if reason is not None:
        watch.stop, watch.stop_message = reason.code, reason.message
        session.cancel()


def _ending(run: Run, watch: Watch, clock: Clock) -> Ending:
    finished = watch.finished
    if finished is None:
        return _not_started(
            "kernel_host_gone", "The kernel host ended while it ran the notebook."
        )
    if finished["event"] == "refused":
        return _not_started(finished["code"], finished["message"])
    notebook = finished["notebook"]
    status, error = finished["status"], finished["error"]
    if status == Status.CANCELLED and watch.stop is not None:
        error = {"code": watch.stop, "message": watch.stop_message, "cell": None}
    if error is not None:
        error = _without_values(error)
    return Ending(
        status=status,
        error=error,
        rows_read=finished.get("rows_read"),
        notebook=_as_bytes(notebook),
        html=render(notebook, title=run.notebook.title).html,
        statements=json.dumps(watch.statements).encode(),
    )


def _without_values(error: dict[str, Any]) -> dict[str, Any]:
    """Keep where and what kind of error it was; its message may hold patient data."""
    kept = {name: error.get(name) for name in ("code", "cell", "line", "exception")}
    kept["message"] = SENTENCES.get(str(error.get("code")), SENTENCES["notebook_error"])
    return kept


def _as_bytes(notebook: dict[str, Any]) -> bytes:
    return json.dumps(notebook, ensure_ascii=False, indent=1).encode("utf-8")


def _not_started(code: str, message: str) -> Ending:
    return Ending(
        status=Status.FAILED, error={"code": code, "message": message, "cell": None}
    )
