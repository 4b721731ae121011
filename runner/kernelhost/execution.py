"""Executes a notebook's cells with nbclient, on a kernel that is already running.

nbclient's own set-up is not used: it would install signal handlers in the
host's loop and start a kernel of its own.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete, DeadKernelError
from nbformat import NotebookNode, from_dict

from runner.kernelhost.cells import executes
from runner.kernelhost.kernel import ConfinedKernel
from runner.kernelhost.messages import clean_text, size_of
from runner.kernelhost.outputs import (
    Emit,
    OutputCollector,
    OutputLimitReached,
)
from runner.kernelhost.protocol import Limits
from runner.kernelhost.provisioner import SandboxKernelClient, SandboxKernelManager
from runner.kernelhost.resting import RestingWidgets

IOPUB_TIMEOUT_S = 4
LAST_OUTPUT_GRACE_S = 0.15
FOREIGN_PAUSE_S = 0.001
MAX_NAME_CHARS = 200
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class CellFailed(Exception):
    """A cell raised: its index, its line if known, the exception's class and its message."""

    def __init__(
        self, *, cell: int, line: int | None, exception: str, message: str
    ) -> None:
        super().__init__(exception)
        self.cell = cell
        self.line = line
        self.exception = exception
        self.message = message


@dataclass
class Progress:
    """Where the run is. ``current`` is the cell that is being executed."""

    current: int | None = None
    started: float = 0.0
    code_cells: int = 0
    durations: dict[int, int] = field(default_factory=dict)


def failing_line(traceback: list[str], execution_count: Any) -> int | None:
    """The line of the failing cell in an IPython traceback, which prints ``Cell In[n], line m``."""
    frame = re.compile(rf"Cell In\s?\[{re.escape(str(execution_count))}\], line (\d+)")
    for entry in traceback:
        match = frame.search(ANSI.sub("", entry))
        if match:
            return int(match.group(1))
    return None


def copied(notebook: dict[str, Any]) -> NotebookNode:
    """The notebook as nbclient wants it; the original stays as it is."""
    node: NotebookNode = from_dict(notebook)  # type: ignore[no-untyped-call]  # nbformat
    return node


class CellExecutor(NotebookClient):
    """Runs cells, and takes from the kernel's messages only what was checked."""

    #: Whether a reader can answer what cells ask.
    is_live = False
    manager: SandboxKernelManager
    collector: OutputCollector
    resting: RestingWidgets
    progress: Progress
    emit: Emit

    @classmethod
    def create(
        cls,
        notebook: dict[str, Any],
        kernel: ConfinedKernel,
        limits: Limits,
        emit: Emit,
        should_stop: Callable[[], bool],
    ) -> CellExecutor:
        """An executor for one notebook. The notebook is copied, never changed."""
        executor = cls(
            copied(notebook),
            km=kernel.manager,
            timeout=None,
            allow_errors=False,
            iopub_timeout=IOPUB_TIMEOUT_S,
            record_timing=False,
            store_widget_state=False,
        )
        executor.cell_s = limits.cell_s
        executor.manager = kernel.manager
        executor.kc = executor._open = kernel.client
        executor.emit = emit
        executor.collector = OutputCollector(limits, emit)
        executor.resting = RestingWidgets(limits)
        executor.should_stop = should_stop
        executor.progress = Progress()
        for cell in executor.nb.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        return executor

    cell_s: float
    should_stop: Callable[[], bool]
    _open: SandboxKernelClient

    def _get_timeout(self, cell: NotebookNode | None) -> Any:
        return self.cell_s or None

    async def run_cells(self) -> None:
        """Execute every code cell in order.

        Raises:
            CellFailed, CellTimeoutError, DeadKernelError, OutputLimitReached
        """
        await self._run_from(0)

    async def _run_from(self, first: int) -> None:
        for index, cell in enumerate(self.nb.cells[first:], start=first):
            if self.should_stop():
                return
            if not executes(cell, live=self.is_live):
                continue
            await self._run_cell(index, cell)

    async def _run_cell(self, index: int, cell: NotebookNode) -> None:
        self.progress.current, self.progress.started = index, time.monotonic()
        self.progress.code_cells += 1
        self._idle_seen = False
        self.emit({"event": "cell_started", "cell": index})
        status = "error"
        try:
            await self.async_execute_cell(
                cell, index, execution_count=self.progress.code_cells
            )
            status = "ok"
        finally:
            duration = int((time.monotonic() - self.progress.started) * 1000)
            self.progress.durations[index] = duration
            self.resting.cell_ended(index)
            if not asyncio.current_task().cancelling():  # type: ignore[union-attr]
                self.emit(
                    {
                        "event": "cell_finished",
                        "cell": index,
                        "status": status,
                        "duration_ms": duration,
                    }
                )
        self.progress.current = None

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        """Take one IOPub message of the cell that is being executed."""
        msg_type, content = msg["msg_type"], msg["content"]
        if msg_type == "status":
            if content.get("execution_state") == "idle":
                raise CellExecutionComplete
        elif msg_type == "execute_input":
            # Here, so that a cell that never ends has its number too; which one it is, we know.
            cell["execution_count"] = self.progress.code_cells
        elif msg_type.startswith("comm"):
            self.resting.heard(msg)
        elif self.resting.take(msg):
            self.collector.pass_by(cell_index, size_of(content))
        else:
            self.collector.add(cell_index, msg_type, content)
        return None

    async def _async_poll_output_msg(
        self, parent_msg_id: str, cell: NotebookNode, cell_index: int
    ) -> None:
        try:
            await self._poll_output(parent_msg_id, cell, cell_index)
        except OutputLimitReached:
            # nbclient looks at this task only after the reply, which a flood may delay for ever.
            self._limit_reached = True
            if self.task_poll_for_reply is not None:
                self.task_poll_for_reply.cancel()
            raise
        self._idle_seen = True

    async def _poll_output(
        self, parent_msg_id: str, cell: NotebookNode, cell_index: int
    ) -> None:
        """nbclient's loop, slowed down by messages that belong to no cell of ours."""
        while True:
            message = await self._open.iopub_channel.get_msg(timeout=None)
            if message["parent_header"].get("msg_id") != parent_msg_id:
                await asyncio.sleep(FOREIGN_PAUSE_S)
                continue
            try:
                self.process_message(message, cell, cell_index)
            except CellExecutionComplete:
                return

    _limit_reached = False
    _idle_seen = False

    async def _async_poll_kernel_alive(self) -> None:
        await self.manager.provisioner.sandbox_gone()
        await asyncio.sleep(LAST_OUTPUT_GRACE_S)
        if self.task_poll_for_reply is not None:
            self.task_poll_for_reply.cancel()

    async def async_execute_cell(self, *args: Any, **kwargs: Any) -> NotebookNode:
        """nbclient's, with a reached limit told apart from a dead kernel."""
        try:
            return await super().async_execute_cell(*args, **kwargs)
        except DeadKernelError:
            if self._limit_reached:
                raise OutputLimitReached from None
            raise

    async def _check_raise_for_error(
        self, cell: NotebookNode, cell_index: int, exec_reply: dict[str, Any] | None
    ) -> None:
        if not self._idle_seen:
            self.collector.lost(cell_index)
        content = (exec_reply or {}).get("content", {})
        if content.get("status") == "ok" or "raises-exception" in cell.metadata.get(
            "tags", []
        ):
            return
        outputs = self.collector.cell(cell_index).finished()
        error = next(
            (item for item in reversed(outputs) if item["output_type"] == "error"), None
        )
        raise CellFailed(
            cell=cell_index,
            line=failing_line(error["traceback"], self.progress.code_cells)
            if error
            else None,
            exception=clean_text(content.get("ename", ""))[:MAX_NAME_CHARS],
            message=clean_text(content.get("evalue", ""))[:MAX_NAME_CHARS],
        )

    def document(self) -> dict[str, Any]:
        """The notebook with everything that was collected so far."""
        for index, outputs in self.collector.finished():
            self.nb.cells[index]["outputs"] = outputs
        document: dict[str, Any] = dict(self.nb)
        self.resting.put_into(document)
        return document
