"""Runs in every state, without a data source or a kernel."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from gallery.models import Version
from runner.models import Run, RunKind
from runner.services.lifecycle import (
    CellState,
    Ending,
    finish_run,
    note_cells,
    start_run,
)
from runner.workflow import FINAL, Status

NOTEBOOK = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}\n'
HTML = b"<main><p>Twelve prescriptions</p></main>"


def make_run(
    version: Version,
    by: User,
    status: str = Status.QUEUED,
    *,
    kind: str = RunKind.RUN,
    now: datetime | None = None,
    read: int = 12,
    **fields: Any,
) -> Run:
    """Insert a run as the services would leave it in `status`, having read rows."""
    now = now or timezone.now()
    values: dict[str, Any] = {
        "persona": next(iter(by.personas), "doctor"),
        "purpose": "treatment",
        "parameters": {"months": 6},
        "cells_total": 2,
    } | fields
    run = Run.objects.create(
        kind=kind,
        notebook=version.notebook,
        version=version,
        digest=version.digest,
        requested_by=by,
        queued_at=now,
        enqueued_at=now,
        **values,
    )
    if status == Status.QUEUED:
        return run
    Run.objects.filter(pk=run.pk).update(
        status=Status.STARTING, claimed_at=now, heartbeat_at=now
    )
    run.refresh_from_db()
    if status == Status.STARTING:
        return run
    if status == Status.ACCESS_DENIED:
        finish(run, status, now=now)
        return run
    start_run(run=run, evidence={"degraded": False}, now=now)
    note_cells(run=run, cells={1: CellState("ok", 12)}, now=now)
    if status in FINAL:
        finish(run, status, now=now + timedelta(seconds=3), read=read)
    return run


def finish(run: Run, status: str, *, now: datetime, read: int = 12) -> None:
    """End a run with its result."""
    failed = status != Status.SUCCEEDED
    error = {
        "code": "cell_failed",
        "message": "Cell 2 stopped with an error.",
        "cell": 2,
        "line": 1,
        "exception": "ValueError",
    }
    finish_run(
        run=run,
        ending=Ending(
            status=status,
            error=error if failed else None,
            rows_read=read,
            notebook=NOTEBOOK,
            html=HTML,
        ),
        now=now,
    )
