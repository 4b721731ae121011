"""Kernels that wait: started, confined and answering before anybody asks for a run.

A waiting kernel has executed nothing, knows no person and reaches no data: its data
directory is empty until a run claims it.  It serves one run and ends with it.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from runner.kernelhost import environments
from runner.kernelhost.host import Host
from runner.kernelhost.kernel import START_FAILURES, ConfinedKernel, Kind
from runner.kernelhost.templates import Templates

log = logging.getLogger(__name__)

#: After a kernel that could not be started, so that a broken environment is no hot loop.
RETRY_PAUSE_S = 30.0


@dataclass(eq=False)
class Waiting:
    """A kernel and the task that starts it."""

    kernel: ConfinedKernel
    starting: asyncio.Task[None]

    @property
    def definition(self) -> environments.KernelDefinition:
        """What it runs."""
        return self.kernel.kind.definition

    @property
    def is_ready(self) -> bool:
        """Whether it answers."""
        return self.starting.done() and self.starting.exception() is None


class Pool:
    """So many kernels of each environment and kernel name as the settings ask for."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.templates = Templates(host)
        self.sizes = host.settings.pool
        self._waiting: list[Waiting] = []
        self._ending: set[asyncio.Task[None]] = set()
        self._unknown: set[str] = set()
        self._active_runs = 0
        self._retry: asyncio.TimerHandle | None = None
        self._is_closed = False

    # What a run does -----------------------------------------------------------------

    def run_began(self) -> None:
        """Start nothing while a run is under way: it has the machine for itself."""
        self._active_runs += 1

    def run_ended(self) -> None:
        """Fill up again when the last run has ended."""
        self._active_runs -= 1
        self.keep_filled()

    def claim(self, kind: Kind) -> Waiting | None:
        """Take a kernel of this very kind out, a ready one first; None where none waits.

        The one who claims it awaits its start and ends it.
        """
        fitting = [each for each in self._waiting if each.kernel.kind == kind]
        if not fitting:
            return None
        chosen = min(fitting, key=lambda each: not each.is_ready)
        self._waiting.remove(chosen)
        return chosen

    def new_kernel(self, kind: Kind) -> ConfinedKernel:
        """A kernel that nobody has started yet."""
        launcher = self.templates.launcher(kind.definition)
        return ConfinedKernel(self.host, kind, launcher)

    # What the host does --------------------------------------------------------------

    def keep_filled(self) -> None:
        """Start what is missing, and end what no run could claim any more."""
        if self._is_closed or self._active_runs or not self.host.accepts:
            return
        for (environment, kernel_name), size in self.sizes.items():
            kind = self._kind(environment, kernel_name)
            of_name = self._named(environment, kernel_name)
            fresh = [each for each in of_name if each.kernel.kind == kind]
            for each in of_name:
                if each not in fresh:
                    self._drop(each)
            if kind is not None and self.templates.want(
                kind.definition, self.keep_filled
            ):
                for _ in range(size - len(fresh)):
                    self._add(kind)

    def _named(self, environment: str, kernel_name: str) -> list[Waiting]:
        return [
            each
            for each in self._waiting
            if (each.definition.environment, each.definition.kernel_name)
            == (environment, kernel_name)
        ]

    def _kind(self, environment: str, kernel_name: str) -> Kind | None:
        try:
            definition = environments.resolve(
                self.host.settings.environments, environment, kernel_name
            )
        except environments.UnknownEnvironment as problem:
            if environment not in self._unknown:
                log.warning("no kernel waits for %s: %s", environment, problem.message)
            self._unknown.add(environment)
            return None
        self._unknown.discard(environment)
        return Kind(definition, self.host.settings.pool_caps)

    def _add(self, kind: Kind) -> None:
        kernel = self.new_kernel(kind)
        waiting = Waiting(kernel, asyncio.create_task(kernel.start()))
        self._waiting.append(waiting)
        waiting.starting.add_done_callback(lambda _: self._on_started(waiting))

    def _on_started(self, waiting: Waiting) -> None:
        if waiting not in self._waiting:
            return  # claimed, or dropped: whoever has it ends it
        sandbox = waiting.kernel.sandbox
        if waiting.is_ready and sandbox is not None:
            sandbox.gone.add_done_callback(lambda _: self._on_gone(waiting))
            return
        log.warning("no kernel waits: %s", waiting.starting.exception())
        self._drop(waiting)
        self._retry_later()

    def _on_gone(self, waiting: Waiting) -> None:
        """A kernel that died while it waited is replaced, after a pause."""
        if waiting in self._waiting:
            log.warning("a waiting kernel ended by itself")
            self._drop(waiting)
            self._retry_later()

    def _retry_later(self) -> None:
        if not self._is_closed and self._retry is None:
            loop = asyncio.get_running_loop()
            self._retry = loop.call_later(RETRY_PAUSE_S, self._retry_now)

    def _retry_now(self) -> None:
        self._retry = None
        self.keep_filled()

    def _drop(self, waiting: Waiting) -> None:
        self._waiting.remove(waiting)
        task = asyncio.create_task(_end(waiting))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _start(self, environment: str, kernel_name: str) -> dict[str, Any]:
        """What starts such a kernel now, and the layers that it has beyond the required ones."""
        kind = self._kind(environment, kernel_name)
        if kind is None:
            return {"launcher": None, "layers": {}}
        launcher = self.templates.launcher(kind.definition)
        layers = {layer.name: layer.as_dict() for layer in launcher.further}
        return {"launcher": launcher.name, "layers": layers}

    def status(self) -> list[dict[str, Any]]:
        """How many kernels wait, by environment and kernel name."""
        return [
            {
                "environment": environment,
                "kernel_name": kernel_name,
                "size": size,
                "ready": sum(
                    each.is_ready for each in self._named(environment, kernel_name)
                ),
                **self._start(environment, kernel_name),
            }
            for (environment, kernel_name), size in self.sizes.items()
        ]

    async def close(self) -> None:
        """End every kernel that waits."""
        self._is_closed = True
        if self._retry is not None:
            self._retry.cancel()
        for waiting in list(self._waiting):
            self._drop(waiting)
        await asyncio.gather(*self._ending)


async def _end(waiting: Waiting) -> None:
    """End a kernel that nobody claimed, also in the middle of its start."""
    waiting.kernel.kill()
    with suppress(*START_FAILURES):
        await waiting.starting
    await waiting.kernel.end()
