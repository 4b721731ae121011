"""What the widgets of a run without a page hold, so that its result can show them at rest.

Nobody answers them, but cells make them, change them and print into them all the same.  What output
widgets capture is theirs, as anywhere else; where all of it is more than a result may hold, that stays in
the cells that put it out.
"""

from __future__ import annotations

import logging
from typing import Any

from runner.kernelhost.messages import clean_json, size_of
from runner.kernelhost.output_widgets import OutputWidgets
from runner.kernelhost.outputs import FLOOD_FACTOR, MESSAGE_COST_BYTES
from runner.kernelhost.protocol import Limits
from runner.live.frames import Frame
from runner.live.mirror import Mirror, MirrorFull
from runner.live.withheld import Withheld

log = logging.getLogger(__name__)


class RestingWidgets:
    """The widgets of one kernel; `heard` learns of them, `take` lets output widgets capture."""

    def __init__(self, limits: Limits) -> None:
        self.max_bytes = limits.output_bytes
        self._mirror: Mirror | None = Mirror()
        self._outputs = OutputWidgets(
            max_bytes=limits.output_bytes, max_outputs=limits.outputs, tell=self._hold
        )
        self._held: dict[str, list[dict[str, Any]]] = {}
        #: The cell in which an output widget captured first.
        self._cell_of: dict[str, int] = {}
        self._cell = 0
        self._passed_bytes = 0

    def heard(self, message: dict[str, Any]) -> None:
        """Learn from a comm message which widgets there are, and what they hold."""
        self._outputs.heard(message)
        buffers = tuple(bytes(buffer) for buffer in message.get("buffers", ()))
        self._reflect(message["msg_type"], message["content"], buffers)

    def take(self, message: dict[str, Any]) -> bool:
        """Let an output widget capture an output, if one listens.  Raises OutputLimitReached."""
        return self._outputs.take(message)

    def cell_ended(self, cell: int) -> None:
        """Tell what output widgets have captured in a cell."""
        self._cell = cell
        self._outputs.flush()

    def _hold(self, comm_id: str, outputs: list[dict[str, Any]]) -> None:
        self._held[comm_id] = outputs
        self._cell_of.setdefault(comm_id, self._cell)
        data = {"method": "update", "state": {"outputs": outputs}}
        self._reflect("comm_msg", {"comm_id": comm_id, "data": data}, ())

    def _reflect(
        self, kind: str, content: dict[str, Any], buffers: tuple[bytes, ...]
    ) -> None:
        if self._mirror is None:
            return
        clean: dict[str, Any] = clean_json(content)
        size_bytes = size_of(clean) + sum(map(len, buffers))
        self._passed_bytes += max(size_bytes, MESSAGE_COST_BYTES)
        if self._passed_bytes > FLOOD_FACTOR * self.max_bytes:
            self._leave_out()
            return
        try:
            frame = Frame("iopub", {"msg_type": kind}, content=clean, buffers=buffers)
            self._mirror.heard(frame, size_bytes=size_bytes)
        except MirrorFull:
            self._leave_out()

    def _leave_out(self) -> None:
        log.info("run.widgets_left_out: they hold more than a result may")
        self._mirror = None

    def put_into(self, notebook: dict[str, Any]) -> None:
        """Keep the widgets in the notebook's metadata, where there are any."""
        saved = {}
        if self._mirror is not None and self._mirror.targets():
            # What a reader was not asked for is the author's own; passwords are left out always.
            saved = self._mirror.saved(Withheld())
        if size_of(saved) > self.max_bytes:
            self._leave_out()
        if self._mirror is None:
            for comm_id, outputs in self._held.items():
                notebook["cells"][self._cell_of[comm_id]]["outputs"] += outputs
        elif saved:
            notebook["metadata"] = {**notebook["metadata"], "widgets": saved}
