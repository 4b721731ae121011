"""What the cells of a live session show, as a page is told it: each change once, or all of it anew.

The kernel host says what cells put out, already bounded.  A reader is not shown the code, so neither
tracebacks nor what is written to stderr are told, both of which quote it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.live.frames import Json
from runner.live.outbound import failure

#: The type of a page's message about a cell; no kernel sends such.
CELL_OUTPUTS = "cell_outputs"


@dataclass
class _Cell:
    """A cell: its outputs as they were put out, and as they are told."""

    state: Json | None = None
    outputs: list[Json] = field(default_factory=list)
    told: list[Json] = field(default_factory=list)
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
                yield {"cell": index, "change": "append", "output": output}
            if cell.state is not None and cell.state["change"] == "finished":
                yield {"cell": index, **cell.state}

    def _add(self, index: int, cell: _Cell, output: Json) -> Json | None:
        if _continues(cell.outputs, output):
            cell.outputs[-1] = _joined(cell.outputs[-1], output)
        else:
            cell.outputs.append(output)
            cell.places.append(None)
        told = self._told(output)
        if told is None:
            return None
        if _continues(cell.told, told):
            cell.told[-1] = _joined(cell.told[-1], told)
        else:
            cell.told.append(told)
        cell.places[-1] = len(cell.told) - 1
        return {"cell": index, "change": "append", "output": told}

    def _update(self, index: int, cell: _Cell, place: int, output: Json) -> Json | None:
        if not 0 <= place < len(cell.outputs):
            return None
        cell.outputs[place] = output
        at = cell.places[place]
        if at is None:
            return None
        cell.told[at] = output
        return {"cell": index, "change": "set", "index": at, "output": output}

    def _told(self, output: Json) -> Json | None:
        kind = output.get("output_type")
        if self._incident is None:
            return output
        if kind == "stream" and output.get("name") == "stderr":
            return None
        if kind == "error":
            return {"output_type": "error", **failure(self._incident)}
        return output


def _continues(outputs: list[Json], output: Json) -> bool:
    """Tell whether an output is more text of the stream right before it."""
    last = outputs[-1] if outputs else {}
    return (
        output.get("output_type") == "stream"
        and last.get("output_type") == "stream"
        and last.get("name") == output.get("name")
    )


def _joined(last: Json, more: Json) -> Json:
    return {**last, "text": last["text"] + more["text"]}
