"""Whose truth a result shows, and how far a run has come, in words for pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.models import PersonaAssignment
from accounts.personas import Persona
from gallery.models import Version
from gallery.parameters.options import labels_of
from gallery.presenters import parameter_order, parameter_title, value_in_words
from reviews.models import Meaning, Signature
from runner.models import Run
from runner.results.document import ResultHeader, Signed


@dataclass(frozen=True)
class Rights:
    """What stands above every result."""

    person: str
    persona: str
    purpose: str
    data_read_at: datetime | None
    parameters: list[tuple[str, str]]
    version: Version
    signed_by: str
    signed_at: datetime | None
    is_notional: bool
    read_nothing: bool


def rights_of(run: Run) -> Rights:
    """Return whose rights the run's result shows, of when, and who approved it."""
    signature = compliance_signature(run.version)
    return Rights(
        person=run.requested_by.printed_name,
        persona=persona_words(run),
        purpose=run.get_purpose_display(),
        data_read_at=run.data_read_at,
        parameters=parameters_in_words(run.version.parameters, run.parameters),
        version=run.version,
        signed_by=signature.printed_name if signature else "",
        signed_at=signature.signed_at if signature else None,
        is_notional=run.is_preview,
        read_nothing=run.is_final and run.rows_read == 0,
    )


def compliance_signature(version: Version) -> Signature | None:
    """Return the signature that made the version launchable, if there is one."""
    return version.signatures.filter(meaning=Meaning.COMPLIANCE_APPROVED).first()


def header_of(run: Run) -> ResultHeader:
    """Return what stands above the result in print and in downloads."""
    rights = rights_of(run)
    return ResultHeader(
        title=run.notebook.title,
        version_number=run.version.number,
        short_digest=run.version.short_digest,
        person=rights.person,
        persona=rights.persona,
        purpose=rights.purpose,
        data_read_at=run.data_read_at,
        rows_read=run.rows_read,
        parameters=rights.parameters,
        signatures=[
            Signed(each.printed_name, each.get_meaning_display(), each.signed_at)
            for each in run.version.signatures.all()
        ],
        incident=run.incident,
        problem=(run.error or {}).get("message", ""),
        is_notional=run.is_preview,
        is_degraded=bool(run.evidence.get("degraded")),
    )


def persona_words(run: Run) -> str:
    """Name the persona as its holder knows it: `Head of cardiology`."""
    held = PersonaAssignment.objects.filter(
        person=run.requested_by, persona=run.persona
    ).first()
    if held is not None and not run.is_preview:
        return held.label
    return Persona(run.persona).label


def parameters_in_words(
    schema: Mapping[str, Any], values: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """Return each parameter that was set, by its title, in the schema's order."""
    properties = schema.get("properties", {})
    return [
        (
            parameter_title(name, properties.get(name, {})),
            _words(value, labels_of(properties.get(name, {}))),
        )
        for name, value in sorted(
            values.items(),
            key=lambda item: parameter_order(properties.get(item[0], {})),
        )
    ]


def _words(value: object, labels: Mapping[Any, str]) -> str:
    if isinstance(value, list):
        return ", ".join(value_in_words(each, labels) for each in value) or "none"
    return value_in_words(value, labels)


def took_ms(run: Run) -> int | None:
    """Return how long the run's kernel worked, in milliseconds."""
    if run.started_at is None or run.finished_at is None:
        return None
    return round((run.finished_at - run.started_at).total_seconds() * 1000)


@dataclass(frozen=True)
class Step:
    """One cell of a run on the rail."""

    number: int
    state: str
    duration_ms: int | None


_STATES = {"ok": "done", "error": "failed", "running": "running"}


def steps_of(run: Run) -> list[Step]:
    """Return one step per code cell: done, failed, running, or waiting."""
    cells = list(run.cells.order_by("index"))
    seen = [
        Step(number, _state(run, cell.status), cell.duration_ms)
        for number, cell in enumerate(cells, start=1)
    ]
    rest = "left out" if run.is_final else "waiting"
    return seen + [
        Step(number, rest, None) for number in range(len(seen) + 1, run.cells_total + 1)
    ]


def _state(run: Run, status: str) -> str:
    state = _STATES.get(status, "done")
    return "stopped" if run.is_final and state == "running" else state
