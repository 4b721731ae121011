"""The record of a live session while it grows, until it is sealed."""

import json
from datetime import datetime

from runner.live.frames import Json
from runner.live.inbound import WidgetEvent
from runner.live.mirror import Mirror
from runner.live.record import event_entry
from runner.models import Run
from runner.services.sealed_batches import keep_widget_events

#: What the record of one session may have.
MAX_RECORD_BYTES = 32 * 1024 * 1024


class RecordFull(Exception):
    """Something happened that the record has no place for."""


class Record:
    """What a session's reader does, numbered in order."""

    def __init__(self, run: Run, mirror: Mirror) -> None:
        self._run, self._mirror = run, mirror
        self._events: list[Json] = []
        self._kept_events = 0
        self._size_bytes = 0

    def note(self, event: WidgetEvent, *, at_s: float) -> None:
        """Take down one event.  Raises RecordFull: then it must not happen."""
        entry = event_entry(event, self._mirror, at_s=at_s)
        size_bytes = len(json.dumps(entry))
        if self._size_bytes + size_bytes > MAX_RECORD_BYTES:
            raise RecordFull
        self._size_bytes += size_bytes
        self._events.append(entry)

    def keep(self, *, now: datetime) -> None:
        """Seal what has come since the last time."""
        events, self._events = self._events, []
        keep_widget_events(
            run=self._run, first=self._kept_events, events=events, now=now
        )
        self._kept_events += len(events)
