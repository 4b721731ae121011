"""Request a run or a preview; cancel one."""

import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.models import User
from accounts.personas import DEFAULT_PURPOSE, Persona, Purpose
from accounts.policies import (
    BadInput,
    Blocker,
    FieldError,
    NotAllowed,
    NotNow,
    TooMany,
    Unavailable,
    require,
)
from audit.log import record
from gallery.arranged import as_run
from gallery.limits import run_limits
from gallery.models import Notebook, Version
from gallery.parameters.validate import InvalidParameters, clean_parameters
from gallery.queries import approved_version, document
from runner.access.errors import AccessError, SourceUnavailable
from runner.access.leases import put_ticket
from runner.dispatch import enqueue_run
from runner.kernelhost.cells import executes
from runner.models import Run, RunKind
from runner.parameters.inject import injected_source
from runner.parameters.literals import UnsafeValue, UnsupportedLanguage
from runner.policies import (
    cancel_blockers,
    expiry_blockers,
    launch_blockers,
    live_quota_blockers,
    live_version_blockers,
    pageless_version_blockers,
    persona_blockers,
    preview_blockers,
    quota_blockers,
    shown_version_blockers,
    standing_blockers,
)
from runner.progress import signal_change
from runner.services.lifecycle import end_unclaimed
from runner.sessions.limits import session_limits
from runner.workflow import Queue, Status

#: How long a run may wait for a worker before its ticket is worthless.
_QUEUE_ALLOWANCE = timedelta(hours=1)
#: What a login outlives the wall clock by, so that the end can be orderly.
_CLOSING_ALLOWANCE = timedelta(minutes=2)
#: An event holds little: how much of it parameter names take, and how long one is.
_EVENT_NAMES_BYTES = 1_500
_EVENT_NAME_CHARS = 40


class InvalidLaunch(BadInput):
    """The launch names no usable persona or purpose, or values that do not fit."""


class VersionReplaced(NotNow):
    """The version that the person was shown is not the approved one any more."""


@dataclass(frozen=True)
class Launch:
    """What a person asks for: values by parameter name, the hat, and why."""

    parameters: dict[str, Any] = field(default_factory=dict)
    persona: str | None = None
    purpose: str | None = None
    #: The version number that the person was shown; None means whatever is approved.
    number: int | None = None


def request_run(
    *,
    notebook: Notebook,
    launch: Launch,
    by: User,
    now: datetime,
    queue: Queue = Queue.BATCH,
) -> Run:
    """Queue a run of the approved version on the real data source.

    The ticket is stored first, in the data source; then approval is checked again
    and the run recorded in one transaction. A ticket whose run was refused is
    never redeemed; the sweep voids it.

    Raises NotAllowed, VersionReplaced, TooMany, InvalidLaunch, Unavailable.
    """
    version = approved_version(notebook)
    require(launch_blockers(by, notebook, version))
    if version is None:
        raise NotAllowed([])
    if launch.number is not None:
        require_shown(version, launch.number)
    require(expiry_blockers(version, now=now))
    run = _prepare(RunKind.RUN, version, launch, by=by, now=now, queue=queue)
    require(persona_blockers(by, run.persona))
    _put_ticket(run, by=by, now=now)
    with transaction.atomic():
        # The row lock closes the gap between a revocation and this launch. That the
        # signatures hold was just seen, and is seen again right before it starts.
        version = (
            Version.objects.select_for_update(of=("self",), no_key=True)
            .select_related("notebook")
            .defer("document")
            .get(pk=version.pk)
        )
        if launch.number is not None:
            require_shown(approved_version(notebook), launch.number)
        require(standing_blockers(by, notebook, version))
        require(expiry_blockers(version, now=now))
        return _store(run, action="run.requested", by=by, now=now)


def request_preview(
    *,
    version: Version,
    launch: Launch,
    by: User,
    now: datetime,
    queue: Queue = Queue.BATCH,
) -> Run:
    """Queue a run of a version under review on invented people.

    A previewer may try any persona: the notional data source holds nobody real.
    Raises NotAllowed, TooMany, InvalidLaunch, Unavailable.
    """
    require(preview_blockers(by, version))
    run = _prepare(RunKind.PREVIEW, version, launch, by=by, now=now, queue=queue)
    _put_ticket(run, by=by, now=now)
    with transaction.atomic():
        version = (
            Version.objects.select_for_update(of=("self",), no_key=True)
            .select_related("notebook")
            .get(pk=version.pk)
        )
        require(preview_blockers(by, version))
        return _store(run, action="preview.requested", by=by, now=now)


def require_shown(approved: Version | None, number: int | None) -> None:
    """Go on only when the approved version is the shown one.  Raises VersionReplaced."""
    blockers = shown_version_blockers(approved, number)
    if blockers:
        raise VersionReplaced(blockers)


def repeat_run(
    *, before: Run, by: User, now: datetime, queue: Queue = Queue.BATCH
) -> Run:
    """Ask again as `before` was asked: version, parameters, persona and purpose.

    Raises NotAllowed, VersionReplaced where another version is approved by now,
    InvalidLaunch where the values no longer fit, Unavailable.
    """
    launch = Launch(
        before.parameters, before.persona, before.purpose, before.version.number
    )
    if before.is_preview:
        return request_preview(
            version=before.version, launch=launch, by=by, now=now, queue=queue
        )
    return request_run(
        notebook=before.notebook, launch=launch, by=by, now=now, queue=queue
    )


@transaction.atomic
def cancel_run(*, run: Run, by: User, now: datetime) -> Run:
    """Stop a run: one that waits ends at once, one under way within moments.

    Raises NotAllowed, StaleState.
    """
    run = (
        Run.objects.select_for_update(of=("self",), no_key=True)
        .select_related("notebook", "version", "requested_by")
        .get(pk=run.pk)
    )
    require(cancel_blockers(by, run))
    if run.status == Status.QUEUED:
        end_unclaimed(
            run, code="cancelled", message="It was cancelled.", by=by, now=now
        )
        return run
    if run.cancel_requested_at is None:
        Run.objects.filter(pk=run.pk, cancel_requested_at=None).update(
            cancel_requested_at=now
        )
        run.refresh_from_db(fields=["cancel_requested_at"])
        record("run.cancel_requested", by=by, at=now, target=run)
        transaction.on_commit(partial(signal_change, run.pk))
    return run


def _prepare(
    kind: RunKind,
    version: Version,
    launch: Launch,
    *,
    by: User,
    now: datetime,
    queue: Queue,
) -> Run:
    """Build the run, validated but not stored."""
    if queue == Queue.INTERACTIVE:
        require(live_version_blockers(version))
    else:
        require(pageless_version_blockers(version))
    _require_room(by, queue)
    persona = _persona(kind, launch.persona, by)
    values, source = _bind(version, launch.parameters)
    cells = as_run(version, document(version))["cells"]
    return Run(
        id=uuid.uuid4(),
        kind=kind,
        notebook=version.notebook,
        version=version,
        digest=version.digest,
        requested_by=by,
        persona=persona,
        purpose=_purpose(launch.purpose, persona),
        parameters=values,
        injected_source=source,
        queue=queue,
        cells_total=bool(values)
        + sum(executes(cell, live=queue == Queue.INTERACTIVE) for cell in cells),
        queued_at=now,
        enqueued_at=now,
    )


def _bind(version: Version, sent: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the values that the schema allows, and the cell that binds them."""
    try:
        values = clean_parameters(version.parameters, sent)
        source = (
            injected_source(version.parameters, values, language=version.language)
            if values
            else ""
        )
    except InvalidParameters as error:
        raise InvalidLaunch(
            [
                FieldError(each.field or "parameters", each.code, each.message)
                for each in error.errors
            ]
        ) from error
    except (UnsafeValue, UnsupportedLanguage) as error:
        raise InvalidLaunch(
            [FieldError("parameters", "cannot_be_written", str(error))]
        ) from error
    return values, source


def _persona(kind: RunKind, persona: str | None, by: User) -> str:
    if persona is None:
        held = by.personas if kind == RunKind.RUN else []
        if len(held) == 1:
            return held[0]
        raise InvalidLaunch(
            [FieldError("persona", "required", "Choose the persona to act as.")]
        )
    allowed = Persona.values if kind == RunKind.RUN else list(settings.NOTIONAL_PEOPLE)
    if persona not in allowed:
        raise InvalidLaunch(
            [FieldError("persona", "invalid", f"Choose one of: {', '.join(allowed)}.")]
        )
    return persona


def _purpose(purpose: str | None, persona: str) -> str:
    if not purpose:
        return DEFAULT_PURPOSE[Persona(persona)]
    if purpose not in Purpose.values:
        raise InvalidLaunch(
            [
                FieldError(
                    "purpose", "invalid", f"Choose one of: {', '.join(Purpose.values)}."
                )
            ]
        )
    return purpose


def _put_ticket(run: Run, *, by: User, now: datetime) -> None:
    limits = run_limits(run.version) | session_limits(run)
    wall_clock = timedelta(seconds=limits["wall_clock_s"])
    try:
        for name in run.version.data_sources:
            put_ticket(
                settings.DATA_SOURCES[name].for_kind(run.kind),
                run_id=run.pk,
                username=_eyes(run, by),
                persona=run.persona,
                version_digest=run.digest,
                purpose=run.purpose,
                kind=RunKind(run.kind).value,
                manifest=run.version.manifest,
                expires_at=now + _QUEUE_ALLOWANCE + wall_clock + _CLOSING_ALLOWANCE,
            )
    except SourceUnavailable as error:
        raise Unavailable from error
    except AccessError as error:
        raise NotAllowed(
            [Blocker(f"data_source_{error.code}", error.message)]
        ) from error


def _eyes(run: Run, by: User) -> str:
    """Return whose rows the run sees: the person's, or those of a preview's stand-in."""
    if run.kind == RunKind.RUN:
        return by.username
    return settings.NOTIONAL_PEOPLE[run.persona].username


def _require_room(by: User, queue: str) -> None:
    """Go on only when one more run of the person's fits.  Raises TooMany."""
    blockers = quota_blockers(by)
    if queue == Queue.INTERACTIVE:
        blockers += live_quota_blockers(by)
    if blockers:
        raise TooMany(blockers)


def _store(run: Run, *, action: str, by: User, now: datetime) -> Run:
    # One request of a person's at a time, so that two cannot take the last place.
    User.objects.select_for_update(of=("self",), no_key=True).get(pk=by.pk)
    _require_room(by, run.queue)
    run.save(force_insert=True)
    names = _names_for_event(run.parameters)
    if run.is_live:
        names["live"] = True
    record(action, by=by, at=now, target=run, **names)
    transaction.on_commit(partial(enqueue_run, run.pk, queue=run.queue))
    return run


def _names_for_event(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return which parameters were set, as many as an event can name; never a value."""
    names: list[str] = []
    room_bytes = _EVENT_NAMES_BYTES
    for name in sorted(parameters):
        short = (
            name if len(name) <= _EVENT_NAME_CHARS else f"{name[:_EVENT_NAME_CHARS]}…"
        )
        room_bytes -= len(json.dumps(short)) + 2
        if room_bytes < 0:
            break
        names.append(short)
    return {"parameters": names, "parameter_count": len(parameters)}
