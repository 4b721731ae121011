"""Read the record of a live session; every look is an event before it is a look."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import overload

from django.db import transaction

from accounts.models import User
from accounts.policies import require
from audit.log import record
from runner.live.frames import Json
from runner.models import Run, WidgetEventBatch
from runner.policies import record_blockers
from runner.results.batches import opened

READ = "record.read"


class RecordedEvents(Sequence[Json]):
    """What the reader of one session did, in order; only what is asked for is opened.

    Entries are as `runner.live.record.event_entry` makes them, with their `number` from 1 on.
    Raises vault.VaultError.
    """

    def __init__(self, run: Run) -> None:
        self._batches = run.widget_event_batches.order_by("first")
        last = self._batches.last()
        self._count = last.first + len(opened(last)) if last is not None else 0

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> Json: ...
    @overload
    def __getitem__(self, at: slice) -> list[Json]: ...

    def __getitem__(self, at: int | slice) -> Json | list[Json]:
        if isinstance(at, slice):
            start, stop, step = at.indices(self._count)
            return self._between(start, stop)[::step]
        place = range(self._count)[at]
        return self._between(place, place + 1)[0]

    def __iter__(self) -> Iterator[Json]:
        for batch in self._batches.iterator(chunk_size=10):
            yield from _numbered(batch)

    def _between(self, start: int, stop: int) -> list[Json]:
        holding = self._batches.filter(first__lte=start).last()
        if holding is None:
            return []
        wanted = self._batches.filter(first__gte=holding.first, first__lt=stop)
        entries = [entry for batch in wanted for entry in _numbered(batch)]
        return entries[start - holding.first : stop - holding.first]


def _numbered(batch: WidgetEventBatch) -> Iterator[Json]:
    for number, entry in enumerate(opened(batch), start=batch.first + 1):
        yield {**entry, "number": number}


@transaction.atomic
def read_record(*, run: Run, by: User, now: datetime) -> RecordedEvents:
    """Return what was done in a live session.  Raises NotAllowed, vault.VaultError."""
    require(record_blockers(by, run, now=now))
    events = RecordedEvents(run)
    record(READ, by=by, at=now, target=run)
    return events
