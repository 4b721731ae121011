"""Finished runs with a stored result, without a kernel."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from accounts.models import User
from accounts.personas import Persona, Purpose
from audit.models import Event
from runner.models import Run
from runner.results.rendering import render
from runner.services.lifecycle import Ending, claim_run, finish_run, start_run
from runner.workflow import Status
from tests.runner.launching import approved
from tests.runner.results.notebooks import code, notebook, stream

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def finished_run(
    by: User, executed: dict[str, Any] | None = None, *, now: datetime = NOW
) -> Run:
    """Return a run of `by` that ended well and left `executed`."""
    run = queued_run(by, now=now)
    claimed = claim_run(run_id=run.pk, now=now)
    assert claimed is not None
    start_run(run=claimed, evidence={}, now=now)
    executed = executed or notebook(code(stream("31 prescriptions")))
    finish_run(
        run=claimed,
        ending=Ending(
            status=Status.SUCCEEDED,
            rows_read=3,
            notebook=json.dumps(executed).encode(),
            html=render(executed).html,
        ),
        now=now,
    )
    return again(run.pk)


def queued_run(by: User, *, now: datetime = NOW) -> Run:
    """Return a run of `by` that no worker has taken."""
    version = approved("print(1)")
    return Run.objects.create(
        kind="run",
        notebook=version.notebook,
        version=version,
        digest=version.digest,
        requested_by=by,
        persona=Persona.DOCTOR,
        purpose=Purpose.TREATMENT,
        queued_at=now,
        enqueued_at=now,
    )


def again(run_id: UUID) -> Run:
    """Return the run as a view would fetch it."""
    return Run.objects.select_related(
        "notebook", "version__notebook", "requested_by"
    ).get(pk=run_id)


def events(action: str) -> list[Event]:
    return list(Event.objects.filter(action=action).order_by("seq"))
