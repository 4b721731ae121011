"""One confined kernel, from its start to its last trace. Whose run it serves is told later.

Everything that a kernel gets before its run is the same for every run of its kind, so
that a kernel may wait, started and confined, for a run that nobody has asked for yet.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any

from runner.kernelhost.cgroups import CgroupUnavailable, RunCgroup
from runner.kernelhost.confinement import Caps
from runner.kernelhost.environments import KernelDefinition
from runner.kernelhost.fork import TemplateGone
from runner.kernelhost.host import Host
from runner.kernelhost.plan import plan
from runner.kernelhost.provisioner import (
    SandboxKernelClient,
    SandboxKernelManager,
    manager_for,
)
from runner.kernelhost.proxy.sources import DataProxies
from runner.kernelhost.sandbox import Launcher, Sandbox, SandboxUnavailable
from runner.kernelhost.uids import NoFreeUid

log = logging.getLogger(__name__)

READY_TIMEOUT_S = 60.0
ASK_AGAIN_S = 0.1
#: What a publisher says to a new subscriber (Jupyter messaging protocol 5.4, JEP 65).
WELCOME = "iopub_welcome"


class KernelNotReady(Exception):
    """The kernel did not answer in time, or ended before it did."""


START_FAILURES = (
    SandboxUnavailable,
    KernelNotReady,
    CgroupUnavailable,
    NoFreeUid,
    OSError,
)


@dataclass(frozen=True)
class Kind:
    """What two kernels must have in common for one to stand in for the other."""

    definition: KernelDefinition
    caps: Caps


@dataclass(eq=False)
class ConfinedKernel:
    """A kernel of one kind in a sandbox of its own. It serves one run, or none.

    ``start`` once, ``end`` always; ``kill`` at any time.
    """

    host: Host
    kind: Kind
    launcher: Launcher
    name: str = field(default_factory=lambda: secrets.token_hex(4))
    _manager: SandboxKernelManager | None = None
    _client: SandboxKernelClient | None = None
    _uid: int | None = None
    _data_dir: Path | None = None
    _is_killed: bool = False
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def manager(self) -> SandboxKernelManager:
        """The kernel's manager, once it was started."""
        if self._manager is None:
            raise KernelNotReady("the kernel was not started")
        return self._manager

    @property
    def client(self) -> SandboxKernelClient:
        """The client that has heard an answer on both channels."""
        if self._client is None:
            raise KernelNotReady("the kernel has not answered")
        return self._client

    @property
    def sandbox(self) -> Sandbox | None:
        """The sandbox, from its launch until the end."""
        return self._manager.provisioner.sandbox if self._manager else None

    @property
    def is_alive(self) -> bool:
        """Whether its process lives and nobody has killed it."""
        sandbox = self.sandbox
        return sandbox is not None and not sandbox.gone.done() and not self._is_killed

    @property
    def ancestors(self) -> tuple[int, ...]:
        """Processes that everything inside is or descends from; none without a sandbox."""
        sandbox = self.sandbox
        return (
            sandbox.ancestors if sandbox is not None and not sandbox.gone.done() else ()
        )

    @property
    def was_out_of_memory(self) -> bool:
        """Whether the kernel of the machine killed something of it for its memory."""
        sandbox = self.sandbox
        return (
            sandbox is not None
            and sandbox.cgroup is not None
            and sandbox.cgroup.oom_kills() > 0
        )

    async def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            START_FAILURES: it cannot be started, or was killed meanwhile.
        """
        await self.launch()
        await self.answer()

    async def launch(self) -> None:
        """Start its sandbox; with bubblewrap, when its template is there no more.

        Raises:
            START_FAILURES: it cannot be started.
        """
        self._uid = self.host.lease_uid(self._stack)
        self._data_dir = self.host.data_dir(
            self.name, self._uid, self._stack, self.launcher
        )
        cgroup = self.host.create_cgroup(self.name, self.kind.caps)
        self._stack.push_async_callback(self._destroy, cgroup)
        try:
            await self._launch(cgroup)
        except TemplateGone as problem:
            log.warning("kernel %s is not forked: %s", self.name, problem)
            self.launcher = self.host.bubblewrap
            await self._launch(cgroup)

    async def _launch(self, cgroup: RunCgroup | None) -> None:
        self._manager = manager_for(
            definition=self.kind.definition,
            confinement=plan(
                definition=self.kind.definition,
                caps=self.kind.caps,
                staging=self.host.staging,
                host_uid=self._uid,
                cgroup=cgroup is not None,
                data_dir=self._data_dir,
            ),
            cgroup=cgroup,
            launcher=self.launcher,
            context=self.host.context,
        )
        await self._manager.start_kernel()

    async def answer(self) -> None:
        """Wait until the kernel is heard on both channels.

        Raises:
            KernelNotReady: it was not, or it was killed meanwhile.
        """
        if not self.is_alive:
            raise KernelNotReady("it was stopped while it started")
        await self._connect(self.manager)

    async def _connect(self, manager: SandboxKernelManager) -> None:
        client = manager.open_client()
        self._stack.callback(client.close_channels)
        client.open_channels()
        try:
            await asyncio.wait_for(self._answered(client), READY_TIMEOUT_S)
        except TimeoutError:
            raise KernelNotReady("The kernel did not answer in time.") from None
        self._client = client

    async def _answered(self, client: SandboxKernelClient) -> None:
        """Ask until the kernel was heard on both channels.

        Asking again is harmless, and needed when the first answer was published before our
        subscription was there and the welcome to it got lost as well.  Nobody waits for a
        message while one is sent: ZeroMQ tells only once that something can be read, and
        sending uses that up.
        """
        asked: set[str] = set()
        missing = [client.shell_channel, client.iopub_channel]
        while missing:
            provisioner = self.manager.provisioner
            if not provisioner.has_process:
                raise KernelNotReady(
                    f"the kernel ended before it answered: {provisioner.last_words()}"
                )
            asked.add(client.kernel_info())
            heard = await asyncio.gather(*(_heard(each, asked) for each in missing))
            missing = [
                each for each, was in zip(missing, heard, strict=True) if not was
            ]

    async def open_data(self, proxies: DataProxies) -> None:
        """Let the run's data sources appear inside; ``proxies`` ends before the kernel does."""
        if self._data_dir is None:
            raise KernelNotReady("the kernel was not started")
        await proxies.listen(self._data_dir, self._uid)

    def kill(self) -> None:
        """Kill everything of it at once, or as soon as there is something."""
        self._is_killed = True
        sandbox = self.sandbox
        if sandbox is not None:
            sandbox.kill()

    async def end(self) -> None:
        """Kill what is left, prove that nothing is, give everything back."""
        await self._stack.aclose()

    async def _destroy(self, cgroup: RunCgroup | None) -> None:
        sandbox = self.sandbox
        if sandbox is not None:
            if not await sandbox.destroy():
                log.error("kernel %s left something behind", self.name)
        elif cgroup is not None:
            cgroup.remove()
        if self._manager is not None:
            self._manager.release()


async def _heard(channel: Any, asked: set[str]) -> bool:
    """Whether the channel brings something soon that proves it open."""
    until = time.monotonic() + ASK_AGAIN_S
    while (left := until - time.monotonic()) > 0:
        try:
            message = await channel.get_msg(timeout=left)
        except Empty:
            return False
        if (
            message["msg_type"] == WELCOME
            or message["parent_header"].get("msg_id") in asked
        ):
            return True
    return False
