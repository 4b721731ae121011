"""Collect what a notebook shows while it runs, and make its new parts harmless.

The worker feeds every event of the kernel host and asks about once a second whether
something should be shown.  Only what is new is rendered, through the same layers as a
result.  Nothing here may end a run: after a fault, or when it becomes too much, the
rest is shown at the end.
"""

import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from gallery.layouts import read_layout
from runner.results.parts import LivePart
from runner.results.rendering import render
from runner.results.widgets import VIEW_MIME
from runner.services.live_outputs import append_outputs

logger = logging.getLogger(__name__)

#: Nothing is rendered sooner than this after the first cell began, or more often.
INTERVAL = timedelta(seconds=1)
#: Showing takes at most one part in so many of the supervisor's time.
TIME_SHARE = 5
#: An output above this many bytes is shown at the end only.
MAX_OUTPUT_BYTES = 200_000
#: What a run may show while it runs, before and after rendering.
MAX_RUN_BYTES = 2_000_000
#: What a widget is put out as where nothing comes along that needs no script.
WIDGET_MIMES = frozenset({VIEW_MIME, "text/plain"})

LARGE = "A large output is shown when the run has ended."
ENOUGH = "There is more than can be shown meanwhile. All of it follows at the end."

INTERACTIVE = (
    "What an interactive part holds follows at the end, as far as it needs no scripts."
)

Output = dict[str, Any]


@dataclass
class _Cell:
    """What a cell shows: all of it, and what of it nobody has been shown yet."""

    outputs: list[Output] = field(default_factory=list)
    fresh: list[Output] = field(default_factory=list)
    is_shown: bool = False
    replaces: bool = False
    is_finished: bool = False
    #: It has been said that something large follows at the end.
    said_large: bool = False

    @property
    def has_news(self) -> bool:
        return bool(self.fresh) or self.replaces

    def add(self, output: Output) -> None:
        _append(self.outputs, output)
        _append(self.fresh, output)

    def update(self, index: object, output: Output) -> None:
        """Put another output in a place; shown parts cannot change, so all come anew."""
        if isinstance(index, int) and 0 <= index < len(self.outputs):
            self.outputs[index] = output
            self._start_anew(self.outputs)

    def clear(self) -> None:
        self.outputs = []
        self._start_anew([])

    def _start_anew(self, outputs: list[Output]) -> None:
        self.fresh = []
        for output in outputs:
            _append(self.fresh, output)
        self.replaces = self.replaces or self.is_shown
        self.said_large = False

    def shown(self) -> None:
        self.fresh, self.replaces, self.is_shown = [], False, True


def _append(outputs: list[Output], output: Output) -> None:
    """Add an output; text joins the text of the same stream right before it."""
    if output.get("output_type") != "stream":
        outputs.append(output)
        return
    lines = output.get("text", "")
    lines = lines if isinstance(lines, list) else [lines]
    last = outputs[-1] if outputs else {}
    if (last.get("output_type"), last.get("name")) == ("stream", output.get("name")):
        last["text"].extend(lines)
    else:
        outputs.append({**output, "text": list(lines)})


class LiveOutputs:
    """The live part of one run; `take` events, `show` what is new."""

    def __init__(self, run_id: UUID, notebook: Mapping[str, Any]) -> None:
        self.run_id = run_id
        self._notebook: Sequence[Mapping[str, Any]] = notebook["cells"]
        self._hidden = read_layout(notebook).hidden
        self._words_from = 0
        self._cells: dict[int, _Cell] = {}
        self._next_at: datetime | None = None
        self._spent_bytes = 0
        self._figures = 0
        self._sequence = 0
        self._is_over = False

    def take(self, event: Mapping[str, Any], *, now: datetime) -> None:
        """Remember what one event of the kernel host shows; most show nothing."""
        if self._is_over or "cell" not in event:
            return
        cell = self._cells.get(event["cell"])
        match event["event"]:
            case "cell_started":
                self._cells[event["cell"]] = _Cell()
                self._next_at = self._next_at or now + INTERVAL
            case "cell_finished" if cell:
                cell.is_finished = True
            case "output" if cell:
                cell.add(event["output"])
            case "output_updated" if cell:
                cell.update(event["index"], event["output"])
            case "outputs_cleared" if cell:
                cell.clear()

    def show(self, *, now: datetime) -> None:
        """Render and store what is new, once a second; a fault is logged and contained."""
        if self._is_over or self._next_at is None or now < self._next_at:
            return
        began = time.monotonic()
        try:
            parts = list(self._parts())
            if parts:
                self._store(parts, now)
        except Exception as error:  # noqa: BLE001  hostile outputs may break anything here
            # The class alone: a message may quote what the notebook printed.
            name = type(error).__name__
            logger.error("run.live_outputs_failed run_id=%s %s", self.run_id, name)
            self._stop()
        took = timedelta(seconds=time.monotonic() - began)
        self._next_at = now + max(INTERVAL, TIME_SHARE * took)

    def _store(self, parts: list[LivePart], now: datetime) -> None:
        last = append_outputs(
            run_id=self.run_id, parts=parts, after=self._sequence, now=now
        )
        if last is None:
            self._stop()
        else:
            self._sequence = last

    def _stop(self) -> None:
        self._is_over = True
        self._cells.clear()

    def _parts(self) -> Iterator[LivePart]:
        for index, cell in list(self._cells.items()):
            yield from self._words_before(index)
            if cell.has_news:
                yield from self._outputs_of(index, cell)
            if self._is_over:
                return
            if cell.is_finished:
                del self._cells[index]

    def _words_before(self, index: int) -> Iterator[LivePart]:
        """Yield the text that stands above a cell, once."""
        start, self._words_from = self._words_from, max(self._words_from, index + 1)
        words = [
            cell
            for place, cell in enumerate(self._notebook[start:index], start=start)
            if cell.get("cell_type") == "markdown"
            and place not in self._hidden
            and _size(cell) <= MAX_OUTPUT_BYTES
        ]
        if words and self._can_afford(words):
            yield LivePart(start, self._rendered(words))

    def _outputs_of(self, index: int, cell: _Cell) -> Iterator[LivePart]:
        fresh = cell.fresh
        if index in self._hidden:
            fresh = [each for each in fresh if each.get("output_type") == "error"]
        small = [each for each in fresh if not _is_large(each)]
        if not self._can_afford(small):
            self._stop()
            yield LivePart(index, _note(ENOUGH))
            return
        outputs = [_without_widget(each) for each in small]
        html = self._rendered([{"cell_type": "code", "outputs": outputs}])
        if len(small) < len(fresh) and not cell.said_large:
            html += _note(LARGE)
            cell.said_large = True
        if html or cell.replaces:
            yield LivePart(index, html, replaces=cell.replaces)
        cell.shown()

    def _can_afford(self, sources: list[Any]) -> bool:
        return self._spent_bytes + sum(map(_size, sources)) <= MAX_RUN_BYTES

    def _rendered(self, cells: list[Any]) -> bytes:
        """Return harmless HTML; nothing at all when the cells show nothing."""
        rendered = render({"cells": cells}, figures_before=self._figures)
        self._figures += rendered.figures
        self._spent_bytes += max(_size(cells), len(rendered.html))
        return b"" if rendered.is_empty else rendered.html


def _without_widget(output: Output) -> Output:
    """Return an output, or a sentence for a widget: what it holds is known at the end only."""
    data = output.get("data")
    if not isinstance(data, Mapping) or not {VIEW_MIME} <= data.keys() <= WIDGET_MIMES:
        return output
    return {**output, "data": {"text/html": f"<p><em>{INTERACTIVE}</em></p>"}}


def _is_large(output: Output) -> bool:
    """Tell whether an output is for the end only; writing megabytes to see it takes its time."""
    text = output.get("text")
    if isinstance(text, list) and sum(map(len, text)) > MAX_OUTPUT_BYTES:
        return True
    return _size(output) > MAX_OUTPUT_BYTES


def _size(value: Any) -> int:
    """Return the bytes of a JSON value as it would be written."""
    return len(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def _note(sentence: str) -> bytes:
    return f'<p class="cs-output cs-note">{sentence}</p>'.encode()
