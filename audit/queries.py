"""Reads of the log: filtered events, newest first, and the state of the chain."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from django.db.models import Q, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Replace

from audit.models import Checkpoint, Event, Head
from audit.verify import verify_tail

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from audit.chain import Verdict


@dataclass(frozen=True)
class EventFilter:
    """Which events; what is empty or None does not narrow.  Days are UTC."""

    person: str = ""
    notebook: str = ""
    run: str = ""
    kind: str = ""
    since: date | None = None
    until: date | None = None

    def words(self) -> list[str]:
        """What narrows, for the event that records the look: ``kind run``."""
        return [f"{name} {value}" for name, value in vars(self).items() if value]


@dataclass(frozen=True)
class ChainState:
    """What the top of the audit page says about the chain."""

    events: int
    newest_hash: str
    tail: Verdict
    checkpoint: Checkpoint | None


def events_matching(chosen: EventFilter) -> QuerySet[Event]:
    """Events that match, newest first."""
    events: QuerySet[Event] = Event.objects.order_by("-seq")
    if chosen.person:
        events = events.filter(
            Q(actor=chosen.person)
            | Q(target_type="accounts.user", target_label=chosen.person)
        )
    if chosen.notebook:
        slug = KeyTextTransform("notebook", "data")
        events = events.annotate(slug=slug).filter(slug=chosen.notebook)
    if chosen.run:
        events = _of_run(events, chosen.run.lower().replace("-", ""))
    if chosen.kind:
        events = events.filter(
            Q(action=chosen.kind) | Q(action__startswith=chosen.kind + ".")
        )
    return _within(events, chosen)


def _of_run(events: QuerySet[Event], run_hex: str) -> QuerySet[Event]:
    """Events of the run whose id, written without hyphens, begins with `run_hex`."""
    as_hex = Replace("target_id", Value("-"), Value(""), output_field=TextField())
    return (
        events.filter(target_type="runner.run")
        .alias(as_hex=as_hex)
        .filter(as_hex__startswith=run_hex)
    )


def _within(events: QuerySet[Event], chosen: EventFilter) -> QuerySet[Event]:
    if chosen.since:
        events = events.filter(at__gte=datetime.combine(chosen.since, time(), UTC))
    if chosen.until:
        day_after = chosen.until + timedelta(days=1)
        events = events.filter(at__lt=datetime.combine(day_after, time(), UTC))
    return events


def chain_state() -> ChainState:
    """How long the log is, and whether its newest part is whole."""
    head = Head.objects.get()
    return ChainState(
        events=head.seq,
        newest_hash=head.hash,
        tail=verify_tail(),
        checkpoint=Checkpoint.objects.first(),
    )
