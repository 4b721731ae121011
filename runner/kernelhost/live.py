"""A live session's kernel: its cells are executed as every run's, and then it stays for its reader.

Messages of widgets pass both ways while cells run and afterwards.  What cells show goes through the
same collector as everywhere; what callbacks show goes to the output widget that asked for it, or else
to the cell that made the callback's widget run last.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import zmq
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode

from runner.kernelhost.cells import executes
from runner.kernelhost.execution import CellExecutor
from runner.kernelhost.messages import clean_json, clean_text
from runner.kernelhost.output_widgets import OutputWidgets
from runner.kernelhost.outputs import OutputLimitReached
from runner.kernelhost.run_below import RunBelow, asks_to_run_below
from runner.live.comms import MAX_ID_CHARS
from runner.live.frames import Frame, encode
from runner.live.inbound import MAX_UNANSWERED, idle

log = logging.getLogger(__name__)

#: What the worker has not taken yet may be so much; a kernel that says more floods.
MAX_BACKLOG_BYTES = 64 * 1024 * 1024
#: Changes of output widgets are told together when they come this close (seconds).
FLUSH_S = 0.015
WATCH_EVERY_S = 0.5
#: So long, too, that it goes on at so many bytes per second.
TOLD_PER_S = 10_000_000.0
#: Messages of the host's of which it is known that they were answered; the last one matters.
MAX_REMEMBERED = 1000
#: A cell that answers within so many seconds while it runs, waits for its reader.
PROBE_S = 2.0

_COMMS = ("comm_open", "comm_msg", "comm_close")
_SHOWN = (
    *("stream", "display_data", "execute_result", "error"),
    *("update_display_data", "clear_output"),
)
_HEADER = ("msg_id", "msg_type", "session", "username", "date", "version")


class LiveExecutor(CellExecutor):
    """Runs cells, passes widgets' messages on, and stays until it is told to end."""

    is_live = True
    backlog: Callable[[], int]
    on_timeout: Callable[[], None]

    def open(
        self, *, backlog: Callable[[], int], on_timeout: Callable[[], None]
    ) -> None:
        """Set it up; ``backlog`` says how many bytes of events the worker has not taken yet."""
        self.backlog, self.on_timeout = backlog, on_timeout
        limits = self.collector.limits
        self.widgets = OutputWidgets(
            max_bytes=limits.output_bytes, max_outputs=limits.outputs, tell=self._tell
        )
        self.ended = asyncio.Event()
        #: Its cells were run, and it can be ended without loss.
        self.is_at_rest = False
        self._cells: dict[str, int] = {}
        self._last_cell: int | None = None
        #: Messages of the page: those that the kernel has not answered, each with the widget
        #: that it is for, and those it is at.
        self._unanswered: dict[str, str] = {}
        self._at: dict[str, dict[str, Any]] = {}
        #: Messages of the host's: which widget's outputs they tell, and those answered once.
        self._telling: dict[str, str] = {}
        self._answered_once: set[str] = set()
        #: What the kernel must still be told of output widgets, the newest only.
        self._latest: dict[str, list[dict[str, Any]]] = {}
        self._busy_since: float | None = None
        self._worked_s = 0.0
        self._is_waiting = False
        self._probe: str | None = None
        self._probed_at = 0.0
        self._flush: asyncio.TimerHandle | None = None
        self.below = RunBelow(
            index
            for index, cell in enumerate(self.nb.cells)
            if executes(cell, live=True)
        )

    def _get_timeout(self, cell: NotebookNode | None) -> Any:
        """No time is set for a cell: `_watch` counts it, without what a reader takes to answer."""
        return

    async def run_cells(self) -> None:
        """Execute every cell, then stay; and those below a `%blockrun` as often as its reader asks.

        Raises:
            CellFailed, DeadKernelError, OutputLimitReached
        """
        watcher = asyncio.create_task(self._watch())
        try:
            await super().run_cells()
            while not self.should_stop():
                self.is_at_rest = True
                await self._stay()
                if self.ended.is_set():
                    return
                self.is_at_rest = False
                await self._run_below()
        finally:
            watcher.cancel()
            if self._flush is not None:
                self._flush.cancel()

    async def _run_below(self) -> None:
        cells = self.below.wanted()
        for index in cells:
            self.collector.forget(index)
        await self._run_from(cells[0])

    async def _run_cell(self, index: int, cell: NotebookNode) -> None:
        self._last_cell, self._worked_s, self._is_waiting = index, 0.0, False
        # What answers a question of the cell before says nothing of this one.
        self._probe = None
        await super()._run_cell(index, cell)
        self.widgets.flush()

    async def _poll_output(
        self, parent_msg_id: str, cell: NotebookNode, cell_index: int
    ) -> None:
        self._cells[parent_msg_id] = cell_index
        while not self._take(await self._next(), parent_msg_id, cell):
            pass

    async def _next(self) -> dict[str, Any]:
        if self.backlog() > MAX_BACKLOG_BYTES:
            # What is not taken from the socket would only pile up behind it.
            raise OutputLimitReached
        message: dict[str, Any] = await self._open.iopub_channel.get_msg(timeout=None)
        return message

    async def _stay(self) -> None:
        """Listen until it is ended or cells are to be run.  Raises DeadKernelError, OutputLimitReached."""
        ended = asyncio.create_task(self.ended.wait())
        gone = asyncio.create_task(self.manager.provisioner.sandbox_gone())
        listening = asyncio.create_task(self._listen())
        tasks = {ended, gone, listening}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if listening in done:
            listening.result()
        elif ended not in done:
            raise DeadKernelError("The kernel ended.")

    async def _listen(self) -> None:
        while not self.below.is_wanted:
            self._take(await self._next(), None, None)

    def _take(
        self, message: dict[str, Any], own: str | None, cell: NotebookNode | None
    ) -> bool:
        """Take one message; whether it says that the cell ``own`` has ended."""
        kind, content = message["msg_type"], message["content"]
        parent = message["parent_header"].get("msg_id")
        is_own = own is not None and parent == own
        if kind in _COMMS:
            self._take_comm(message)
        elif kind == "status":
            state = content.get("execution_state")
            if is_own:
                return bool(state == "idle")
            return self._take_status(message, state) and own is not None
        elif kind == "execute_input" and is_own and cell is not None:
            self.below.begins(self._cells[str(parent)])
            cell["execution_count"] = self.progress.code_cells
        elif kind in _SHOWN:
            self._show(kind, parent, message)
        return False

    def _take_comm(self, message: dict[str, Any]) -> None:
        content = message["content"]
        data = content.get("data")
        method = data.get("method") if isinstance(data, dict) else None
        if method == "echo_update" and self._is_ours(message):
            return  # the page was told when the kernel was
        comm_id = content.get("comm_id")
        if not isinstance(comm_id, str) or len(comm_id) > MAX_ID_CHARS:
            return
        self.widgets.heard(message)
        self._pass_on(message)

    def _take_status(self, message: dict[str, Any], state: Any) -> bool:
        """Pass on what belongs to a message of the page; the host's own are no news.

        Whether it is a cell's: libraries that answer messages while a cell runs may leave the
        last of them as the parent of what follows, so that it seems to be done with it twice.
        """
        parent = str(message["parent_header"].get("msg_id"))
        if self._is_ours(message):
            return state == "idle" and self._is_second(parent)
        self._pass_on(message)
        if state == "busy":
            self._at[parent] = message["parent_header"]
            self._busy_since = self._busy_since or time.monotonic()
        elif state == "idle":
            is_end = parent not in self._at and not self._at
            self._done_with(parent)
            return is_end
        return False

    def _is_second(self, parent: str) -> bool:
        """Take a word that the kernel is done with a message of ours; whether it was said before."""
        if parent in self._answered_once:
            return True
        if parent == self._probe:
            self._answered()
        elif self._telling.pop(parent, None) is not None:
            self._tell_kernel()
        else:
            return False
        if len(self._answered_once) >= MAX_REMEMBERED:
            self._answered_once.clear()
        self._answered_once.add(parent)
        return False

    def _done_with(self, parent: str) -> None:
        """Forget a message that the kernel is done with; of one that is not known, the newest."""
        if parent not in self._at and self._at:
            parent, header = next(reversed(self._at.items()))
            # Its widget waits for this, and the kernel has said it of another.
            self._emit_frame(idle(_header(header)))
        self._at.pop(parent, None)
        self._unanswered.pop(parent, None)
        if not self._at:
            self._busy_since = None

    def _show(self, kind: str, parent: Any, message: dict[str, Any]) -> None:
        clicked = self._unanswered.get(str(parent))
        if clicked is not None and asks_to_run_below(kind, message["content"]):
            self.below.clicked(clicked, current=self.progress.current)
            return
        if self.widgets.take(message):
            if self._flush is None:
                loop = asyncio.get_running_loop()
                wait_s = FLUSH_S + self.widgets.changed_bytes / TOLD_PER_S
                self._flush = loop.call_later(wait_s, self._flush_now)
            return
        cell = self._cells.get(parent, self._last_cell) if parent else self._last_cell
        if cell is not None:
            self.collector.add(cell, kind, message["content"])

    def _flush_now(self) -> None:
        self._flush = None
        self.widgets.flush()

    def _is_ours(self, message: dict[str, Any]) -> bool:
        return bool(
            message["parent_header"].get("session") == self._open.session.session
        )

    def _pass_on(self, message: dict[str, Any]) -> None:
        version = message["metadata"].get("version")
        self._emit_frame(
            Frame(
                "iopub",
                _header(message["header"]),
                _header(message["parent_header"]),
                {"version": clean_text(version)} if isinstance(version, str) else {},
                clean_json(message["content"]),
                tuple(bytes(buffer) for buffer in message.get("buffers", ())),
            )
        )

    def _emit_frame(self, frame: Frame) -> None:
        try:
            data = encode(frame)
        except ValueError:
            log.warning("live.not_passed_on: a message that cannot be written")
            return
        self.emit({"event": "frame", "frame": base64.b64encode(data).decode()})

    def _tell(self, comm_id: str, outputs: list[dict[str, Any]]) -> None:
        """Tell page and kernel what an output widget holds."""
        self._latest[comm_id] = outputs
        self._tell_kernel()
        message = self._about(comm_id, outputs)
        content = message["content"]
        self._emit_frame(Frame("iopub", _header(message["header"]), content=content))

    def _tell_kernel(self) -> None:
        """Tell the kernel the newest of each widget; it is not told more before it has answered."""
        for comm_id, outputs in list(self._latest.items()):
            message = self._about(comm_id, outputs)
            if comm_id not in self._telling.values() and self._post(message, ()):
                del self._latest[comm_id]
                self._telling[str(message["header"]["msg_id"])] = comm_id

    def _about(self, comm_id: str, outputs: list[dict[str, Any]]) -> dict[str, Any]:
        data = {"method": "update", "state": {"outputs": outputs}, "buffer_paths": []}
        content = {"comm_id": comm_id, "data": data}
        message: dict[str, Any] = self._open.session.msg("comm_msg", content)
        return message

    def say(self, frame: Frame) -> None:
        """Sign a message of the page and send it to the kernel; only widgets' messages are sent."""
        if (frame.channel, frame.msg_type) != ("shell", "comm_msg"):
            return
        # What a reader does may cost as much as a cell.
        self.collector.allow_more()
        message = {
            "header": frame.header,
            "msg_id": frame.header["msg_id"],
            "msg_type": frame.msg_type,
            "parent_header": {},
            "metadata": frame.metadata,
            "content": frame.content,
        }
        is_sent = len(self._unanswered) < MAX_UNANSWERED and self._post(
            message, frame.buffers
        )
        if is_sent:
            widget = str(frame.content.get("comm_id"))
            self._unanswered[str(frame.header["msg_id"])] = widget
        else:
            self._emit_frame(idle(frame.header))

    def _post(self, message: dict[str, Any], buffers: Sequence[bytes]) -> bool:
        """Sign and send; whether it was.  Nothing here may wait: other runs would, too."""
        session, socket = self._open.session, self._open.shell_channel.socket
        parts = [*session.serialize(message), *buffers]
        sent = socket.send_multipart(parts, zmq.DONTWAIT)
        return sent.done() and sent.exception() is None

    async def _watch(self) -> None:
        """Count what cells and callbacks take, and see when a cell waits for its reader."""
        before = time.monotonic()
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            now = time.monotonic()
            if self.progress.current is not None:
                # Who waits answers at once; who computes in between does not wait meanwhile.
                if not self._is_waiting or self._probe is not None:
                    self._worked_s += now - before
                self._ask(now)
                is_late = self._worked_s > self.cell_s
            else:
                is_late = (
                    self._busy_since is not None
                    and now - self._busy_since > self.cell_s
                )
            if is_late:
                self.on_timeout()
                return
            before = now

    def _ask(self, now: float) -> None:
        """Ask the kernel something while a cell runs: it answers only where cells wait for input."""
        if self._probe is not None and now - self._probed_at < PROBE_S:
            return
        if self._probe is not None:
            self._set_waiting(False)
            return
        message = self._open.session.msg("kernel_info_request")
        if self._post(message, ()):
            self._probe, self._probed_at = str(message["header"]["msg_id"]), now

    def _answered(self) -> None:
        self._probe = None
        if self.progress.current is not None:
            self._set_waiting(True)

    def _set_waiting(self, is_waiting: bool) -> None:
        if is_waiting != self._is_waiting:
            self._is_waiting = is_waiting
            current = self.progress.current
            if is_waiting and current is not None:
                self.below.waits(current)
            event = "cell_waiting" if is_waiting else "cell_resumed"
            self.emit({"event": event, "cell": current})


def _header(header: dict[str, Any]) -> dict[str, str]:
    """Return the parts that a header has, as text."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else clean_text(value)
        for name in _HEADER
        if (value := header.get(name)) is not None
    }
