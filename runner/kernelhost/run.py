"""One run, from the request to the last trace of its kernel."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from nbclient.exceptions import CellTimeoutError, DeadKernelError

from runner.kernelhost import environments, memory_watch
from runner.kernelhost.execution import CellExecutor, CellFailed
from runner.kernelhost.kernel import (
    START_FAILURES,
    ConfinedKernel,
    KernelNotReady,
    Kind,
)
from runner.kernelhost.live import LiveExecutor
from runner.kernelhost.outputs import Emit, OutputLimitReached
from runner.kernelhost.plan import caps_of
from runner.kernelhost.pool import Pool
from runner.kernelhost.protocol import ExecuteRequest
from runner.kernelhost.proxy.sources import DataProxies
from runner.kernelhost.sandbox import Sandbox
from runner.live.frames import Frame

log = logging.getLogger(__name__)

INTERRUPT_GRACE_S = 0.8
TERMINATE_GRACE_S = 0.2
HEARTBEAT_S = 5.0

MESSAGES = {
    "timed_out": "The run, or one of its cells, took longer than it may.",
    "cancelled": "The run was cancelled.",
    "kernel_died": "The kernel ended by itself.",
    "out_of_memory": "The run used more memory than it may.",
    "output_limit": "The run wrote more output than it may.",
    "notebook_error": "A cell of the notebook failed.",
    "permission_denied": "The data source refused a statement of the notebook.",
}


class Refused(Exception):
    """The run cannot start. ``code`` as in the protocol."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Verdict:
    """How the run ended. ``exception_message`` comes from the notebook and may hold patient data."""

    status: str
    code: str | None = None
    cell: int | None = None
    line: int | None = None
    exception: str | None = None
    exception_message: str | None = None

    def error(self) -> dict[str, Any] | None:
        """The protocol's ``error``; its ``message`` never contains what the notebook wrote."""
        if self.code is None:
            return None
        return {
            "code": self.code,
            "message": MESSAGES[self.code],
            "cell": self.cell,
            "line": self.line,
            "exception": self.exception,
            "exception_message": self.exception_message,
        }


class Run:
    """Performs one request. ``emit`` takes each event; nothing outlives :meth:`perform`."""

    def __init__(
        self,
        pool: Pool,
        request: ExecuteRequest,
        emit: Emit,
        backlog: Callable[[], int] = lambda: 0,
    ) -> None:
        self.pool = pool
        self.request = request
        self.emit = emit
        self.backlog = backlog
        self.decided: str | None = None
        self.executor: CellExecutor | None = None
        self.kernel: ConfinedKernel | None = None
        self.proxies = DataProxies(request.data_sources, self._on_statement)
        self._finished = asyncio.Event()

    def _on_statement(self, statement: dict[str, Any]) -> None:
        self.emit({"event": "statement", **statement})

    async def perform(self) -> None:
        """Run the notebook and emit ``finished``, or ``refused``.

        Raises:
            Refused: the kernel could not be started.
        """
        timer = asyncio.get_running_loop().call_later(
            self.request.limits.wall_clock_s, self.stop_now, "timed_out"
        )
        try:
            async with AsyncExitStack() as stack:
                verdict = await self._perform(stack)
        finally:
            timer.cancel()
            self._finished.set()
        self._emit_finished(verdict)

    async def _perform(self, stack: AsyncExitStack) -> Verdict:
        heartbeat = asyncio.create_task(self._heartbeat())
        stack.callback(heartbeat.cancel)
        kind = Kind(self._definition(), caps_of(self.request.limits))
        try:
            executor = await self._start(stack, kind)
        except START_FAILURES as problem:
            if self.decided is not None:
                return self._decided()
            log.warning("run %s could not start: %s", self.request.run_id, problem)
            raise Refused(
                "sandbox_unavailable", f"The kernel could not be started: {problem}"
            ) from problem
        self.emit({"event": "ready"})
        return await self._execute(executor)

    def _definition(self) -> environments.KernelDefinition:
        try:
            definition = environments.resolve(
                self.pool.host.settings.environments,
                self.request.environment,
                self.request.kernel_name,
            )
            definition.require_lock(self.request.environment_lock_sha256)
        except environments.UnknownEnvironment as problem:
            raise Refused("unknown_environment", problem.message) from problem
        except environments.EnvironmentDiffers as problem:
            raise Refused("environment_differs", problem.message) from problem
        return definition

    async def _start(self, stack: AsyncExitStack, kind: Kind) -> CellExecutor:
        waited = self.pool.claim(kind)
        kernel = waited.kernel if waited else self.pool.new_kernel(kind)
        self.kernel = kernel
        stack.push_async_callback(kernel.end)
        await (waited.starting if waited else kernel.launch())
        evidence = self.pool.host.evidence(
            launcher=kernel.launcher, pooled=waited is not None
        )
        self.emit({"event": "accepted", "evidence": evidence})
        if not waited:
            await kernel.answer()
        if self.decided is not None or not kernel.is_alive:
            raise KernelNotReady(self.decided or "it ended while it waited")
        log.info("run.has_kernel run_id=%s kernel=%s", self.request.run_id, kernel.name)
        self._watch_memory(stack, kernel)
        stack.push_async_callback(self.proxies.close)
        await kernel.open_data(self.proxies)
        self.executor = self._executor(kernel)
        return self.executor

    def _executor(self, kernel: ConfinedKernel) -> CellExecutor:
        kind = LiveExecutor if self.request.live else CellExecutor
        executor = kind.create(
            self.request.notebook,
            kernel,
            self.request.limits,
            self.emit,
            lambda: self.decided is not None,
        )
        if isinstance(executor, LiveExecutor):
            executor.open(
                backlog=self.backlog, on_timeout=partial(self.stop_now, "timed_out")
            )
        return executor

    def _watch_memory(self, stack: AsyncExitStack, kernel: ConfinedKernel) -> None:
        sandbox = kernel.sandbox
        if sandbox is not None and sandbox.cgroup is None:
            watcher = asyncio.create_task(self._stop_when_large(sandbox))
            stack.callback(watcher.cancel)

    async def _execute(self, executor: CellExecutor) -> Verdict:
        try:
            await executor.run_cells()
        except CellFailed as failure:
            return self._decided() if self.decided else self._failed(failure)
        except CellTimeoutError:
            return self._decided() if self.decided else self._stopped("timed_out")
        except OutputLimitReached:
            return self._decided() if self.decided else self._stopped("output_limit")
        except DeadKernelError:
            return self._decided() if self.decided else self._died()
        return self._decided() if self.decided else Verdict("succeeded")

    def _failed(self, failure: CellFailed) -> Verdict:
        refused = self.proxies.refused_since(self._cell_started())
        return Verdict(
            "failed",
            code="permission_denied" if refused else "notebook_error",
            cell=failure.cell,
            line=failure.line,
            exception=failure.exception,
            exception_message=failure.message,
        )

    def _cell_started(self) -> float:
        return self.executor.progress.started if self.executor else 0.0

    def _died(self) -> Verdict:
        killed = self.kernel is not None and self.kernel.was_out_of_memory
        return self._stopped("out_of_memory" if killed else "kernel_died")

    def _stopped(self, status: str) -> Verdict:
        current = self.executor.progress.current if self.executor else None
        return Verdict(status, code=status, cell=current)

    def _decided(self) -> Verdict:
        return self._stopped(self.decided or "kernel_died")

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            self.emit({"event": "heartbeat"})

    async def _stop_when_large(self, sandbox: Sandbox) -> None:
        await memory_watch.watch(sandbox, self.request.limits.memory_bytes)
        self.stop_now("out_of_memory")

    @property
    def ancestors(self) -> tuple[int, ...]:
        """Processes that everything of its sandbox is or descends from; none without one."""
        return self.kernel.ancestors if self.kernel else ()

    def stop_now(self, status: str) -> None:
        """Decide the run's status, unless it is decided, and kill everything of it at once."""
        self.decided = self.decided or status
        if self.kernel is not None:
            self.kernel.kill()

    async def cancel(self) -> None:
        """Interrupt, then terminate, then kill; what was put out until then is kept."""
        if self._finished.is_set():
            return
        self.decided = self.decided or "cancelled"
        sandbox = self.kernel.sandbox if self.kernel else None
        if sandbox is not None and not sandbox.gone.done():
            for number, grace in (
                (signal.SIGINT, INTERRUPT_GRACE_S),
                (signal.SIGTERM, TERMINATE_GRACE_S),
            ):
                sandbox.signal_kernel(number)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._finished.wait(), grace)
                    return
        self.stop_now("cancelled")

    def say(self, frame: Frame) -> None:
        """Send a live session's kernel a message of its page."""
        if isinstance(self.executor, LiveExecutor) and self.decided is None:
            self.executor.say(frame)

    async def end(self) -> None:
        """End a live session; one whose cells are being run is cancelled."""
        if isinstance(self.executor, LiveExecutor) and self.executor.is_at_rest:
            self.executor.ended.set()
        else:
            await self.cancel()

    def _emit_finished(self, verdict: Verdict) -> None:
        executor = self.executor
        self.emit(
            {
                "event": "finished",
                "status": verdict.status,
                "error": verdict.error(),
                "notebook": executor.document() if executor else self.request.notebook,
                "rows_read": self.proxies.rows_read,
                "truncated": executor.collector.truncated if executor else [],
            }
        )
