"""What the cells of a live session show, as a page is told it: each change once, or all of it anew.

The kernel host says what cells put out, already bounded.  A reader is not shown the code, so neither
tracebacks nor what is written to stderr are told, both of which quote it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from runner.live.frames import Json
from runner.live.outbound import told_output

#: The type of a page's message about a cell; no kernel sends such.
CELL_OUTPUTS = "cell_outputs"


@dataclass
class _Text:
    """Text of one stream, in the pieces in which it came."""

    name: str
    pieces: list[str] = field(default_factory=list)

    def output(self) -> Json:
        return {
            "output_type": "stream",
            "name": self.name,
            "text": "".join(self.pieces),
        }


@dataclass
class _Cell:
    """A cell: its outputs as they are told, and where those are that were put out."""

    state: Json | None = None
    told: list[Json | _Text] = field(default_factory=list)
    #: The stream that the last output was text of, whether it is told or not.
    last_stream: str | None = None
    #: Of each output, its place among those that are told; None when it is not told.
    places: list[int | None] = field(default_factory=list)


class Screen:
    """The cells of one session; `take` events of the kernel host.

    With an `incident`, the short number that a reader can quote, failures are told by it alone.
    """

    def __init__(self, *, incident: str | None) -> None:
        self._incident = incident
        self._cells: dict[int, _Cell] = {}

    def take(self, event: Mapping[str, Any]) -> Json | None:
        """Return what a page is told of one event; None for nothing."""
        index = event.get("cell")
        if not isinstance(index, int):
            return None
        cell = self._cells.setdefault(index, _Cell())
        match event["event"]:
            case "cell_started":
                cell.state = {"change": "started"}
            case "cell_finished":
                cell.state = {"change": "finished", "status": event["status"]}
            case "cell_waiting":
                cell.state = {"change": "waiting"}
            case "cell_resumed":
                cell.state = {"change": "started"}
                return {"cell": index, "change": "resumed"}
            case "output":
                return self._add(index, cell, event["output"])
            case "output_updated":
                return self._update(index, cell, event["index"], event["output"])
            case "outputs_cleared":
                self._cells[index] = _Cell(cell.state)
                return {"cell": index, "change": "clear"}
            case _:
                return None
        return {"cell": index, **cell.state}

    def whole(self) -> Iterator[Json]:
        """Yield everything anew, for a page that has just connected."""
        for index, cell in sorted(self._cells.items()):
            yield {"cell": index, "change": "clear"}
            if cell.state is not None and cell.state["change"] != "finished":
                yield {"cell": index, **cell.state}
            for output in cell.told:
                told = output.output() if isinstance(output, _Text) else output
                yield {"cell": index, "change": "append", "output": told}
            if cell.state is not None and cell.state["change"] == "finished":
                yield {"cell": index, **cell.state}

    def _add(self, index: int, cell: _Cell, output: Json) -> Json | None:
        stream = _stream_of(output)
        if stream is None or stream != cell.last_stream:
            cell.places.append(None)
        cell.last_stream = stream
        told = told_output(output, self._incident)
        if told is None and "data" in output:
            told = {**output, "data": {}}  # an update may bring what can be shown
        if told is None:
            return None
        last = cell.told[-1] if cell.told else None
        if stream is None or not isinstance(last, _Text) or last.name != stream:
            cell.told.append(told if stream is None else _Text(stream))
        if stream is not None:
            cast("_Text", cell.told[-1]).pieces.append(str(told["text"]))
        cell.places[-1] = len(cell.told) - 1
        return {"cell": index, "change": "append", "output": told}

    def _update(self, index: int, cell: _Cell, place: int, output: Json) -> Json | None:
        at = cell.places[place] if 0 <= place < len(cell.places) else None
        if at is None:
            return None
        told = told_output(output, self._incident) or {**output, "data": {}}
        cell.told[at] = told
        return {"cell": index, "change": "set", "index": at, "output": told}


def _stream_of(output: Json) -> str | None:
    """Return which stream an output is text of; None when it is none."""
    is_stream = output.get("output_type") == "stream"
    return str(output.get("name")) if is_stream else None
