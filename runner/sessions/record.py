"""The record of a live session while it grows, until it is sealed."""

import json
from datetime import datetime

from runner.live.frames import Frame, Json
from runner.live.inbound import WidgetEvent
from runner.live.mirror import Mirror
from runner.live.record import CUT, cell_entry, event_entry, lasting, widget_entry
from runner.live.withheld import Withheld
from runner.models import Run
from runner.services.sealed_batches import keep_record

#: What the record of one session may have, and how much of that what pages were told:
#: events always find their place, or else the session ends.
MAX_RECORD_BYTES = 32 * 1024 * 1024
CHANGES_SHARE = 0.75
#: Somebody waits while so many are followed again.
MAX_CHANGES = 20_000


class RecordFull(Exception):
    """Something happened that the record has no place for."""


class Record:
    """What a session's reader does and what its pages are told, in order."""

    def __init__(self, run: Run, mirror: Mirror, withheld: Withheld) -> None:
        self._run, self._mirror, self._withheld = run, mirror, withheld
        self._events: list[Json] = []
        self._changes: list[Json] = []
        self._kept_events = self._kept_changes = 0
        self._events_bytes = self._changes_bytes = 0
        self._is_cut = False

    def note(self, event: WidgetEvent, *, at_s: float) -> None:
        """Take down what the reader does.  Raises RecordFull: then it must not happen."""
        state = self._mirror.state_of(event.comm_id)
        entry = event_entry(event, state, self._withheld, at_s=at_s)
        size_bytes = len(json.dumps(entry))
        held_bytes = self._events_bytes + self._changes_bytes
        if held_bytes + size_bytes > MAX_RECORD_BYTES:
            raise RecordFull
        self._events_bytes += size_bytes
        self._events.append(entry)

    def tell_cell(self, change: Json) -> None:
        """Take down what pages are told of a cell."""
        self._change(cell_entry(change))

    def tell_widget(self, told: Frame) -> None:
        """Take down what pages are told of a widget, which the mirror has heard."""
        state = self._mirror.state_of(str(told.content.get("comm_id")))
        entry = widget_entry(told, state, self._withheld)
        if entry is not None:
            self._change(entry)

    def _change(self, entry: Json) -> None:
        if self._is_cut:
            return
        entry["step"] = self._kept_events + len(self._events)
        size_bytes = len(json.dumps(entry))
        if (
            self._changes_bytes + size_bytes > MAX_RECORD_BYTES * CHANGES_SHARE
            or self._kept_changes + len(self._changes) >= MAX_CHANGES
        ):
            # Without one change, what follows would show what no page has shown.
            self._is_cut = True
            self._changes.append({"step": entry["step"], CUT: True})
            return
        self._changes_bytes += size_bytes
        self._changes.append(entry)

    def keep(self, *, now: datetime) -> None:
        """Seal what has come since the last time; what a database refuses waits for the next."""
        events, came = self._events, self._changes
        changes = lasting(came)
        keep_record(
            run=self._run,
            events=(self._kept_events, events),
            changes=(self._kept_changes, changes),
            now=now,
        )
        if len(changes) < len(came):
            self._changes_bytes -= _size_bytes(came) - _size_bytes(changes)
        self._kept_events += len(events)
        self._kept_changes += len(changes)
        self._events, self._changes = [], []


def _size_bytes(entries: list[Json]) -> int:
    return sum(len(json.dumps(each)) for each in entries)
