"""How the cells of a run go, kept in few writes however short the cells are."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from runner.models import Run
from runner.services.lifecycle import CellState, note_cells

#: Nothing is kept sooner than this after the last time, unless nothing else happens.
INTERVAL = timedelta(milliseconds=100)


class CellStates:
    """The cells of one run; `take` events, `keep` what is new."""

    def __init__(self, run: Run, *, now: datetime) -> None:
        self._run = run
        self._new: dict[int, CellState] = {}
        self._kept_at = now

    def take(self, event: Mapping[str, Any]) -> None:
        """Remember what one event of the kernel host says of a cell; most say nothing."""
        match event["event"]:
            case "cell_started":
                self._new[event["cell"]] = CellState("running")
            case "cell_finished":
                self._new[event["cell"]] = CellState(
                    event["status"], event.get("duration_ms")
                )

    def keep(self, *, now: datetime, at_once: bool) -> None:
        """Keep what is new: at once, or when the last time is long enough ago."""
        if self._new and (at_once or now - self._kept_at >= INTERVAL):
            note_cells(run=self._run, cells=self._new, now=now)
            self._new, self._kept_at = {}, now
