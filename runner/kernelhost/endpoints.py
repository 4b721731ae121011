"""Reaching the kernel's sockets inside its sandbox, without a shared directory.

The sockets live in the sandbox's own size-capped memory file system. The host
opens each one through the kernel's root, refusing symbolic links, and connects
to exactly the socket that it opened: nothing that the kernel does to the names
afterwards can send the host elsewhere.
"""

from __future__ import annotations

import asyncio
import os
import stat
from contextlib import suppress
from pathlib import PurePosixPath

from runner.kernelhost.confinement import KERNEL_DIR
from runner.kernelhost.sandbox import Sandbox

PORTS = {"shell": 1, "iopub": 2, "stdin": 3, "hb": 4, "control": 5}
NEEDED = ("shell", "iopub", "control")
PREFIX_INSIDE = f"{KERNEL_DIR}/k"
POLL_S = 0.004


class NotASocket(Exception):
    """The kernel put something else where its socket should be."""


def _open_beneath(root: int, path: str) -> int:
    """Open ``path`` below ``root`` for reference only, following no link on the way."""
    here = os.dup(root)
    for part in PurePosixPath(path).parts[1:]:
        flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            deeper = os.open(part, flags, dir_fd=here)
        finally:
            os.close(here)
        here = deeper
    return here


def open_socket(sandbox: Sandbox, channel: str) -> int:
    """A reference to one kernel socket.

    Raises:
        OSError: it is not there yet.
        NotASocket: it is a link, a file or a directory.
    """
    root = sandbox.open_root()
    try:
        descriptor = _open_beneath(root, f"{PREFIX_INSIDE}-{PORTS[channel]}")
    finally:
        os.close(root)
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotASocket(channel)
    return descriptor


class Endpoints:
    """The open references of one kernel, by channel."""

    def __init__(self) -> None:
        self.descriptors: dict[str, int] = {}

    async def wait(self, sandbox: Sandbox) -> None:
        """Wait until every needed socket exists, or the sandbox has gone."""
        while len(self.descriptors) < len(NEEDED) and not sandbox.gone.done():
            for channel in NEEDED:
                if channel not in self.descriptors:
                    with suppress(OSError):
                        self.descriptors[channel] = open_socket(sandbox, channel)
            await asyncio.sleep(POLL_S)

    def url(self, channel: str) -> str:
        """What ZeroMQ connects to."""
        return f"ipc:///proc/self/fd/{self.descriptors[channel]}"

    def close(self) -> None:
        """Drop the references."""
        while self.descriptors:
            os.close(self.descriptors.popitem()[1])
