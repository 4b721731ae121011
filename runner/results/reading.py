"""Open a person's own result; every look is an event before it is a look."""

import json
from datetime import datetime
from typing import Any, Literal

from django.conf import settings
from django.db import transaction

from accounts.models import User
from accounts.policies import NotNow, StateBlocker, require
from audit.log import record
from runner.models import Run, RunResult
from runner.policies import live_blockers, result_blockers, session_blockers
from runner.results import vault
from runner.results.tables import Table, tables

Kind = Literal["notebook", "html", "statements"]

VIEWED = "result.viewed"
WATCHED = "result.watched"
DOWNLOADED = "result.downloaded"
EXPIRED = StateBlocker("result_expired", "The result has expired; run it again.")


@transaction.atomic
def view_result(*, run: Run, by: User, now: datetime) -> bytes:
    """Return the rendered result for the screen (`document.compose` makes a page).

    Raises NotAllowed, vault.VaultError.
    """
    html = _open(run, "html", by=by, now=now)
    record(VIEWED, by=by, at=now, target=run)
    return html


@transaction.atomic
def watch_outputs(*, run: Run, by: User, now: datetime) -> None:
    """Let somebody see what their run shows while it runs.  Raises NotAllowed."""
    require(live_blockers(by, run))
    record(WATCHED, by=by, at=now, target=run)


@transaction.atomic
def open_session(*, run: Run, by: User, now: datetime) -> None:
    """Let somebody see the page of their live session.  Raises NotAllowed."""
    require(session_blockers(by, run))
    record(WATCHED, by=by, at=now, target=run)


@transaction.atomic
def download_result(
    *, run: Run, kind: Kind, format_name: str, by: User, now: datetime
) -> bytes:
    """Return stored bytes for a download that the log calls `format_name`.

    Raises NotAllowed, vault.VaultError.
    """
    data = _open(run, kind, by=by, now=now)
    record(DOWNLOADED, by=by, at=now, target=run, format=format_name)
    return data


def download_tables(
    *, run: Run, format_name: str, by: User, now: datetime
) -> list[Table]:
    """Return the tables of a result; the log calls the download `format_name`.

    Raises NotAllowed, vault.VaultError.
    """
    data = download_result(
        run=run, kind="notebook", format_name=format_name, by=by, now=now
    )
    return tables(executed_notebook(data))


def executed_notebook(data: bytes) -> dict[str, Any]:
    """Return the notebook behind the stored bytes of kind "notebook"."""
    notebook: dict[str, Any] = json.loads(data)
    return notebook


def associated(run: Run, kind: Kind) -> str:
    """Return what a sealed result is bound to: its run and which part of it it is."""
    return f"{run.pk}/{kind}"


def _open(run: Run, kind: Kind, *, by: User, now: datetime) -> bytes:
    """Unseal under a lock that keeps the expiry sweep away until the look is over."""
    # Each part may have megabytes.
    wanted = RunResult.objects.filter(run=run).only("run", "expires_at", kind)
    result = wanted.select_for_update(no_key=True).first()
    require(result_blockers(by, run))
    sealed = getattr(result, kind, None)
    if result is None or sealed is None or result.expires_at <= now:
        raise NotNow([EXPIRED])
    return vault.unseal(
        bytes(sealed), keys=settings.RESULT_KEYS, associated=associated(run, kind)
    )
