"""A live page as it was after any of its steps, made anew from what its record kept.

Changes go through the same mirror and screen as on the day; no kernel and no data are needed.
"""

import base64
from typing import Any

from runner.live.frames import Frame, Json
from runner.live.mirror import Mirror
from runner.live.screen import Screen
from runner.live.withheld import Withheld

#: What a page was told of a cell → what it was told for.
_EVENTS = {
    "append": "output",
    "set": "output_updated",
    "clear": "outputs_cleared",
    "started": "cell_started",
    "finished": "cell_finished",
    "waiting": "cell_waiting",
    "resumed": "cell_resumed",
}


class Replay:
    """One page; `take` what it was told and `follow` what its reader did, in their order."""

    def __init__(self) -> None:
        self._mirror, self._screen = Mirror(), Screen(incident=None)

    def take(self, entry: Json) -> None:
        """Follow a change, as `runner.live.record` keeps it."""
        if "cell" in entry:
            self._screen.take(_event(entry["cell"]))
        elif "widget" in entry:
            self._mirror.heard(_frame(entry["widget"]), size_bytes=0)

    def follow(self, event: Json) -> None:
        """Follow what the reader did: a page shows it before a busy kernel has answered."""
        if event["method"] == "update":
            data = {"method": "update", "state": event["values"]}
            content = {"comm_id": event["comm_id"], "data": data}
            frame = Frame("iopub", {"msg_type": "comm_msg"}, content=content)
            self._mirror.heard(frame, size_bytes=0)

    def shown_in(self, notebook: Json) -> Json:
        """Return the notebook with what its cells and widgets show."""
        outputs: dict[int, list[Any]] = {}
        for change in self._screen.whole():
            if change["change"] == "append":
                outputs.setdefault(change["cell"], []).append(change["output"])
        cells = [
            {**cell, "outputs": outputs.get(index, [])}
            if cell["cell_type"] == "code"
            else cell
            for index, cell in enumerate(notebook["cells"])
        ]
        widgets = self._mirror.saved(Withheld())
        metadata = {**notebook["metadata"], "widgets": widgets}
        return {**notebook, "cells": cells, "metadata": metadata}


def _event(change: Json) -> Json:
    """Return the event that makes a screen say this change again."""
    return {**change, "event": _EVENTS[change["change"]]}


def _frame(kept: Json) -> Frame:
    buffers = tuple(base64.b64decode(each) for each in kept["buffers"])
    header = {"msg_type": kept["msg_type"]}
    return Frame("iopub", header, content=kept["content"], buffers=buffers)
