"""One run, from the request to the last trace of its kernel."""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any

from nbclient.exceptions import CellTimeoutError, DeadKernelError

from runner.kernelhost import environments, memory_watch
from runner.kernelhost.cgroups import CgroupUnavailable, RunCgroup
from runner.kernelhost.execution import CellExecutor, CellFailed, KernelNotReady
from runner.kernelhost.host import Host
from runner.kernelhost.launcher import SandboxUnavailable
from runner.kernelhost.outputs import Emit, OutputLimitReached
from runner.kernelhost.plan import caps_of, plan
from runner.kernelhost.protocol import ExecuteRequest
from runner.kernelhost.provisioner import SandboxKernelManager, manager_for
from runner.kernelhost.proxy.sources import DataProxies
from runner.kernelhost.uids import NoFreeUid

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

    def __init__(self, host: Host, request: ExecuteRequest, emit: Emit) -> None:
        self.host = host
        self.request = request
        self.emit = emit
        self.decided: str | None = None
        self.executor: CellExecutor | None = None
        self.manager: SandboxKernelManager | None = None
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
        try:
            executor = await self._start(stack)
        except (
            SandboxUnavailable,
            KernelNotReady,
            CgroupUnavailable,
            NoFreeUid,
            OSError,
        ) as problem:
            if self.decided is not None:
                return self._decided()
            log.warning("run %s could not start: %s", self.request.run_id, problem)
            raise Refused(
                "sandbox_unavailable", f"The kernel could not be started: {problem}"
            ) from problem
        self.emit({"event": "ready"})
        return await self._execute(executor)

    async def _start(self, stack: AsyncExitStack) -> CellExecutor:
        try:
            definition = environments.resolve(
                self.host.settings.environments,
                self.request.environment,
                self.request.kernel_name,
            )
            definition.require_lock(self.request.environment_lock_sha256)
        except environments.UnknownEnvironment as problem:
            raise Refused("unknown_environment", problem.message) from problem
        except environments.EnvironmentDiffers as problem:
            raise Refused("environment_differs", problem.message) from problem
        self.emit({"event": "accepted", "evidence": self.host.evidence()})
        uid = self.host.lease_uid(stack)
        caps = caps_of(self.request)
        sockets = await self.proxies.listen(
            self.host.socket_dir(self.request.run_id, uid, stack), uid
        )
        stack.push_async_callback(self.proxies.close)
        cgroup = self.host.create_cgroup(self.request.run_id, caps)
        stack.push_async_callback(self._destroy, cgroup)
        confinement = plan(
            definition=definition,
            caps=caps,
            staging=self.host.staging,
            host_uid=uid,
            cgroup=cgroup is not None,
            sources=self.request.data_sources,
            sockets=sockets,
        )
        self.manager = manager_for(
            definition=definition,
            confinement=confinement,
            cgroup=cgroup,
            bwrap=self.host.bwrap,
            context=self.host.context,
        )
        await self.manager.start_kernel()
        return await self._connect(stack, self.manager)

    async def _connect(
        self, stack: AsyncExitStack, manager: SandboxKernelManager
    ) -> CellExecutor:
        sandbox = manager.provisioner.sandbox
        if self.decided is not None or sandbox is None:
            raise KernelNotReady(self.decided or "no sandbox")
        if sandbox.cgroup is None:
            watcher = asyncio.create_task(self._watch_memory(manager))
            stack.callback(watcher.cancel)
        executor = CellExecutor.create(
            self.request.notebook,
            manager,
            self.request.limits,
            self.emit,
            lambda: self.decided is not None,
        )
        stack.callback(executor.disconnect)
        self.executor = executor
        await executor.connect()
        return executor

    async def _destroy(self, cgroup: RunCgroup | None) -> None:
        """Kill what is left and prove that nothing is."""
        sandbox = self.manager.provisioner.sandbox if self.manager else None
        if sandbox is not None:
            if not await sandbox.destroy():
                log.error("run %s left something behind", self.request.run_id)
        elif cgroup is not None:
            cgroup.remove()
        if self.manager is not None:
            self.manager.release()

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
        manager = self.manager
        sandbox = manager.provisioner.sandbox if manager else None
        killed = (
            sandbox is not None
            and sandbox.cgroup is not None
            and sandbox.cgroup.oom_kills() > 0
        )
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

    async def _watch_memory(self, manager: SandboxKernelManager) -> None:
        sandbox = manager.provisioner.sandbox
        if sandbox is not None:
            await memory_watch.watch(sandbox, self.request.limits.memory_bytes)
            self.stop_now("out_of_memory")

    @property
    def init_pid(self) -> int | None:
        """Process 1 of the sandbox, while there is one."""
        sandbox = self.manager.provisioner.sandbox if self.manager else None
        return (
            sandbox.init_pid
            if sandbox is not None and not sandbox.gone.done()
            else None
        )

    def stop_now(self, status: str) -> None:
        """Decide the run's status, unless it is decided, and kill everything of it at once."""
        self.decided = self.decided or status
        sandbox = self.manager.provisioner.sandbox if self.manager else None
        if sandbox is not None:
            sandbox.kill()

    async def cancel(self) -> None:
        """Interrupt, then terminate, then kill; what was put out until then is kept."""
        if self._finished.is_set():
            return
        self.decided = self.decided or "cancelled"
        provisioner = self.manager.provisioner if self.manager else None
        if provisioner is not None and provisioner.has_process:
            for number, grace in (
                (signal.SIGINT, INTERRUPT_GRACE_S),
                (signal.SIGTERM, TERMINATE_GRACE_S),
            ):
                await provisioner.send_signal(number)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._finished.wait(), grace)
                    return
        self.stop_now("cancelled")

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
