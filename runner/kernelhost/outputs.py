"""Collects a run's outputs from untrusted messages, within its limits.

What is cut says so in the output itself, in words that a reader sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from runner.kernelhost.messages import (
    MAX_NAME_CHARS,
    display_id_of,
    output_from,
    size_of,
)
from runner.kernelhost.protocol import Limits

MAX_DISPLAY_IDS = 1000
MAX_DISPLAY_UPDATES = 5000
# After a cell was cut, this many times the run's limit may still pass by unread.
FLOOD_FACTOR = 8
# What the smallest message counts as on the way through.
MESSAGE_COST_BYTES = 1024
Emit = Callable[[dict[str, Any]], None]


class OutputLimitReached(Exception):
    """The run wrote more than its limit allows."""


class _Stream:
    """Consecutive chunks of one stream; joined once, at the end."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.chunks = [text]

    def output(self) -> dict[str, Any]:
        return {
            "output_type": "stream",
            "name": self.name,
            "text": "".join(self.chunks),
        }


@dataclass
class CellOutputs:
    """What one cell has produced so far."""

    items: list[_Stream | dict[str, Any]] = field(default_factory=list)
    bytes: int = 0
    cut: bool = False
    clear_next: bool = False

    def finished(self) -> list[dict[str, Any]]:
        """The outputs as the notebook stores them."""
        return [
            item.output() if isinstance(item, _Stream) else item for item in self.items
        ]


@dataclass(frozen=True)
class _Place:
    """Where a display with a name is: its cell, its number there, and itself."""

    cell: int
    number: int
    output: dict[str, Any]


def mark(text: str) -> dict[str, Any]:
    """A visible note, in the place where something was cut."""
    return {"output_type": "stream", "name": "stderr", "text": f"\n[{text}]\n"}


class OutputCollector:
    """All outputs of a run. ``emit`` receives each event as it happens."""

    def __init__(self, limits: Limits, emit: Emit) -> None:
        self.limits = limits
        self.emit = emit
        self.cells: dict[int, CellOutputs] = {}
        self.truncated: list[dict[str, Any]] = []
        self.total_bytes = 0
        self.total_outputs = 0
        self.passed_bytes = 0
        #: How much of that each cell has put out.
        self._passed_of: dict[int, int] = {}
        self.updates = 0
        self.displays: dict[str, list[_Place]] = {}

    def cell(self, index: int) -> CellOutputs:
        """The outputs of one cell."""
        return self.cells.setdefault(index, CellOutputs())

    def add(self, index: int, msg_type: str, content: dict[str, Any]) -> None:
        """Take one message of a cell.

        Raises:
            OutputLimitReached: the run's limit, not only the cell's, is reached.
        """
        if msg_type == "clear_output":
            self._clear(index, wait=bool(content.get("wait")))
            return
        output = output_from(msg_type, content)
        if output is None:
            return
        size = size_of(output)
        self.pass_by(index, size)
        display_id = display_id_of(content)
        if msg_type == "update_display_data":
            self._update(display_id, output, size)
            return
        if display_id in self.displays:
            self._show_again(index, display_id, output, size)
        if self._admit(index, output, size):
            self._append(index, output, display_id)

    def allow_more(self) -> None:
        """Let as much more pass by as one cell may put out, and displays be updated anew."""
        more = self.limits.output_bytes_per_cell
        self.passed_bytes = max(0, self.passed_bytes - more)
        self.updates = 0

    def pass_by(self, index: int, size: int) -> None:
        """Count what a cell puts out, kept or not.  Raises OutputLimitReached for a flood."""
        cost = max(size, MESSAGE_COST_BYTES)
        self.passed_bytes += cost
        self._passed_of[index] = self._passed_of.get(index, 0) + cost
        if self.passed_bytes > FLOOD_FACTOR * self.limits.output_bytes:
            self._stop(index, "The cell wrote without end; the run was stopped.")

    def _admit(self, index: int, output: dict[str, Any], size: int) -> bool:
        """Whether the output fits; cuts the cell or stops the run when it does not."""
        cell = self.cell(index)
        if cell.cut and output["output_type"] != "error":
            return False
        if cell.bytes + size > self.limits.output_bytes_per_cell:
            self._cut(index, output)
            if output["output_type"] != "error":
                return False
            output.update(_short_error(output))
            size = size_of(output)
        if self.total_bytes + size > self.limits.output_bytes:
            self._stop(index, self._run_is_full())
        if not self._extends(cell, output):
            if self.total_outputs >= self.limits.outputs:
                self._stop(
                    index,
                    f"Outputs of this run were cut at {self.limits.outputs:,} outputs.",
                )
            self.total_outputs += 1
        cell.bytes += size
        self.total_bytes += size
        return True

    def _run_is_full(self) -> str:
        return f"Outputs of this run were cut at {self.limits.output_bytes:,} bytes."

    @staticmethod
    def _extends(cell: CellOutputs, output: dict[str, Any]) -> bool:
        last = cell.items[-1] if cell.items and not cell.clear_next else None
        return (
            output["output_type"] == "stream"
            and isinstance(last, _Stream)
            and last.name == output["name"]
        )

    def _append(
        self, index: int, output: dict[str, Any], display_id: str | None
    ) -> None:
        cell = self.cell(index)
        if cell.clear_next:
            self._empty(index)
        if output["output_type"] == "stream":
            last = cell.items[-1] if cell.items else None
            if isinstance(last, _Stream) and last.name == output["name"]:
                last.chunks.append(output["text"])
            else:
                cell.items.append(_Stream(output["name"], output["text"]))
        else:
            cell.items.append(output)
            self._remember(display_id, index, output)
        self.emit({"event": "output", "cell": index, "output": output})

    def _remember(
        self, display_id: str | None, index: int, output: dict[str, Any]
    ) -> None:
        if display_id is None:
            return
        if display_id in self.displays or len(self.displays) < MAX_DISPLAY_IDS:
            place = _Place(index, len(self.cell(index).items) - 1, output)
            self.displays.setdefault(display_id, []).append(place)

    def _update(
        self, display_id: str | None, output: dict[str, Any], size: int
    ) -> None:
        places = self.displays.get(display_id or "", [])
        if not places:
            return
        self.updates += 1
        if self.updates > MAX_DISPLAY_UPDATES:
            text = f"Updates of this run were cut at {MAX_DISPLAY_UPDATES:,}."
            self._stop(places[0].cell, text)
        for nth, place in enumerate(list(places)):
            if nth > 0:
                # A message that changes many places costs as much as many messages.
                self.pass_by(place.cell, size)
            self._change(place, output, size)

    def _show_again(
        self, index: int, display_id: str, output: dict[str, Any], size: int
    ) -> None:
        """Change what is shown under this name, but for what the new output clears away."""
        clears = index if self.cell(index).clear_next else None
        for place in list(self.displays[display_id]):
            if place.cell != clears:
                self.pass_by(place.cell, size)
                self._change(place, output, size)

    def _change(self, place: _Place, output: dict[str, Any], size: int) -> None:
        """Put other data in the place of an output, where it fits."""
        cell = self.cell(place.cell)
        if not any(item is place.output for item in cell.items[place.number :][:1]):
            # A mark that said what was cut has cleared the cell in the meantime.
            return
        growth = size - size_of(place.output)
        if cell.bytes + growth > self.limits.output_bytes_per_cell:
            self._cut(place.cell, output)
            return
        if self.total_bytes + growth > self.limits.output_bytes:
            self._stop(place.cell, self._run_is_full())
        cell.bytes += growth
        self.total_bytes += growth
        place.output.update(data=output["data"], metadata=output["metadata"])
        self.emit(
            {
                "event": "output_updated",
                "cell": place.cell,
                "index": place.number,
                "output": dict(place.output),
            }
        )

    def _clear(self, index: int, *, wait: bool) -> None:
        if wait:
            self.cell(index).clear_next = True
        else:
            self._empty(index)

    def _empty(self, index: int) -> None:
        cell = self.cell(index)
        self.total_bytes -= cell.bytes
        self.total_outputs -= len(cell.items)
        cell.items.clear()
        cell.bytes, cell.clear_next = 0, False
        for places in self.displays.values():
            places[:] = [place for place in places if place.cell != index]
        self.emit({"event": "outputs_cleared", "cell": index})

    def _cut(self, index: int, output: dict[str, Any]) -> None:
        """Keep what fits of a stream, then say that the rest was cut. Once per cell."""
        cell = self.cell(index)
        if cell.cut:
            return
        cell.cut = True
        room = self.limits.output_bytes_per_cell - cell.bytes
        if output["output_type"] == "stream" and room > 0:
            kept = output["text"].encode("utf-8")[:room].decode("utf-8", "ignore")
            cell.bytes += len(kept)
            self.total_bytes += len(kept)
            self._append(index, {**output, "text": kept}, None)
        self._note(
            index,
            "cell",
            f"Output of this cell was cut at {self.limits.output_bytes_per_cell:,} bytes.",
        )

    def _note(self, index: int, scope: str, text: str) -> None:
        self.truncated.append({"cell": index, "scope": scope, "message": text})
        self._append(index, mark(text), None)

    def forget(self, index: int) -> None:
        """Drop what a cell has put out, since it is run anew; it may put out as much again."""
        passed = self._passed_of.pop(index, 0)
        self.passed_bytes = max(0, self.passed_bytes - passed)
        self._empty(index)
        self.cell(index).cut = False
        self.truncated[:] = [cut for cut in self.truncated if cut["cell"] != index]

    def lost(self, index: int) -> None:
        """Say that output of a cell did not arrive in time."""
        self._note(
            index,
            "cell",
            "Some output of this cell did not arrive and is missing here.",
        )

    def _stop(self, index: int, text: str) -> None:
        self._note(index, "run", text)
        raise OutputLimitReached(text)

    def finished(self) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        """(cell, outputs) of every cell that produced any."""
        for index, cell in self.cells.items():
            yield index, cell.finished()


def _short_error(output: dict[str, Any]) -> dict[str, Any]:
    """An error must be kept even when its cell is full; its texts need not."""
    return {
        "evalue": output["evalue"][:MAX_NAME_CHARS],
        "traceback": [line[:MAX_NAME_CHARS] for line in output["traceback"][-5:]],
    }
