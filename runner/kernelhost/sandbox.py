"""A running sandbox, however it was started: its signals, its last words, its end."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from runner.kernelhost.cgroups import RunCgroup
from runner.kernelhost.confinement import Confinement, Layer

GONE_TIMEOUT_S = 5.0
ENDED_POLL_S = 0.004
STDERR_KEPT_BYTES = 4096
READ_BYTES = 65536
ENDED = -signal.SIGKILL


class SandboxUnavailable(Exception):
    """The sandbox could not be built. The message says which part refused."""


class Sandbox:
    """A running sandbox. ``init_pid`` is process 1 inside, as seen from the host.

    ``init_fd`` refers to that process and ``output`` is the reading end of its stdout and
    stderr; both belong to the sandbox. ``monitor`` is a process of the host's that ends
    after process 1, where the launcher leaves one. ``kernel`` is the number of the kernel's process and a
    descriptor of it that belongs to the sandbox, where process 1 did not start it and is itself
    outside of everything but the process namespace.
    """

    def __init__(
        self,
        *,
        init_pid: int,
        init_fd: int,
        output: int,
        cgroup: RunCgroup | None,
        monitor: subprocess.Popen[bytes] | None = None,
        kernel: tuple[int, int] | None = None,
    ) -> None:
        self.init_pid = init_pid
        self.cgroup = cgroup
        self.gone: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.last_words: deque[bytes] = deque(maxlen=8)
        self._output = output
        self._init_fd = init_fd
        self._monitor = monitor
        self._kernel = kernel
        self._last_fd = os.pidfd_open(monitor.pid) if monitor else os.dup(init_fd)
        loop = asyncio.get_running_loop()
        loop.add_reader(self._last_fd, self._on_exit)
        os.set_blocking(output, False)
        loop.add_reader(output, self._drain)

    def _drain(self) -> None:
        """Keep the pipe of stdout and stderr empty, or the kernel would block on it."""
        try:
            chunk = os.read(self._output, READ_BYTES)
        except BlockingIOError:
            return
        if chunk:
            self.last_words.append(chunk[-STDERR_KEPT_BYTES:])
        else:
            asyncio.get_running_loop().remove_reader(self._output)

    def _on_exit(self) -> None:
        asyncio.get_running_loop().remove_reader(self._last_fd)
        # Only its parent learns the exit code; nobody else's end is a good one.
        code = self._monitor.wait() if self._monitor else ENDED
        if not self.gone.done():
            self.gone.set_result(code)

    @property
    def ancestors(self) -> tuple[int, ...]:
        """Processes that everything inside is, or descends from."""
        kernel = () if self._kernel is None else (self.kernel_pid(),)
        return tuple(pid for pid in (self.init_pid, *kernel) if pid is not None)

    def open_root(self) -> int:
        """A reference to the root directory that the kernel sees.

        Raises:
            OSError: there is none any more, or whose it is cannot be told.
        """
        pid, pidfd = self._kernel or (self.init_pid, self._init_fd)
        root = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_CLOEXEC)
        if _has_ended(pidfd):
            # The number may have been another process's already.
            os.close(root)
            raise ProcessLookupError(pid)
        return root

    def kernel_pid(self) -> int | None:
        """The kernel's own process, while it lives."""
        if self._kernel is not None:
            pid, pidfd = self._kernel
            return None if _has_ended(pidfd) else pid
        with suppress(OSError, ValueError):
            children = (
                Path(f"/proc/{self.init_pid}/task/{self.init_pid}/children")
                .read_text()
                .split()
            )
            return int(children[0]) if children else None
        return None

    def signal_kernel(self, number: int) -> None:
        """Signal the kernel's process group, as a terminal would."""
        pid = self.kernel_pid()
        if pid is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            group = os.getpgid(pid)
            if self._kernel is not None and group != pid:
                # It has not left the group of its template yet.
                signal.pidfd_send_signal(self._kernel[1], number)
                return
            if group != os.getpgid(0):
                os.killpg(group, number)
            else:
                os.kill(pid, number)

    def kill(self) -> None:
        """Kill everything inside at once: the end of process 1 ends its whole namespace."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._init_fd, signal.SIGKILL)

    async def destroy(self) -> bool:
        """Kill, wait until nothing is left, close what the host held. True when it is all gone."""
        self.kill()
        clean = await self._ended(self._init_fd)
        # The monitor ends by itself once it has reaped process 1.
        if self._monitor is not None and not await self._ended(self._last_fd):
            self._monitor.kill()
            clean = False
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self.gone), GONE_TIMEOUT_S)
        clean = clean and self.gone.done()
        self._close()
        if self.cgroup is not None:
            clean = await asyncio.to_thread(self.cgroup.remove) and clean
        return clean

    @staticmethod
    async def _ended(pidfd: int) -> bool:
        """Wait for a process to end. For process 1 that means: with everything in its namespace."""
        deadline = time.monotonic() + GONE_TIMEOUT_S
        while time.monotonic() < deadline:
            if _has_ended(pidfd):
                return True
            await asyncio.sleep(ENDED_POLL_S)
        return False

    def _close(self) -> None:
        if not self.gone.done():
            self.gone.set_result(ENDED)
        loop = asyncio.get_running_loop()
        for descriptor in (self._last_fd, self._output):
            loop.remove_reader(descriptor)
            os.close(descriptor)
        os.close(self._init_fd)
        if self._kernel is not None:
            os.close(self._kernel[1])


def _has_ended(pidfd: int) -> bool:
    return bool(select.select([pidfd], [], [], 0)[0])


class Launcher(Protocol):
    """Something that starts sandboxes.

    ``name`` is what the evidence of a run calls it; ``further`` are the layers beyond those that
    every sandbox must have, as a probe of this launcher met them.  A launcher that forks has a ``pid``, whose
    namespaces no sandbox may share, ``inherited_bytes`` of data that each fork begins with, and
    a place of its own for the directories of data sockets, ``data_dirs``.
    """

    name: str
    further: tuple[Layer, ...]
    pid: int | None
    inherited_bytes: int
    data_dirs: Path | None

    async def launch(
        self,
        confinement: Confinement,
        command: tuple[str, ...],
        *,
        cgroup: RunCgroup | None,
    ) -> Sandbox:
        """Start ``command`` confined. Nothing of it runs before its cgroup holds it.

        Raises:
            SandboxUnavailable: it could not be confined, or not be started.
        """
