"""Keeps a run within its memory where control groups are impossible: it adds up what its processes use."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from runner.kernelhost.confinement import WRITABLE
from runner.kernelhost.sandbox import Sandbox

INTERVAL_S = 0.25
#: What the machine's kernel remembers of one file, however empty; no size of a tmpfs limits it.
FILE_BYTES = 1024
PROPORTIONAL = ("Pss_Anon", "Pss_Shmem")


def descendants(pids: Iterable[int]) -> list[int]:
    """Processes and everything below them.

    Nothing escapes from below both process 1 of a pid namespace and its kernel: who loses its parent
    becomes a child of process 1, and the filter lets nobody choose another parent.
    """
    found = list(pids)
    for parent in found:
        with suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += [
                    int(child) for child in (task / "children").read_text().split()
                ]
    return found


def used_bytes(pids: list[int]) -> int:
    """Anonymous and shared memory of some processes; a page that n of them share counts 1/n each."""
    total = 0
    for pid in pids:
        # A process may end while we look, and a zombie has no memory to read.
        with suppress(OSError, ValueError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                name, _, value = line.partition(":")
                if name in PROPORTIONAL:
                    total += int(value.split()[0]) * 1024
    return total


def files_bytes(sandbox: Sandbox) -> int:
    """What the names and the nodes of all files take that a sandbox has made."""
    files = 0
    # Nothing is mounted yet, or nothing is any more.
    with suppress(OSError):
        root = sandbox.open_root()
        try:
            for place in WRITABLE:
                found = os.statvfs(f"/proc/self/fd/{root}{place}")
                files += found.f_files - found.f_ffree
        finally:
            os.close(root)
    return files * FILE_BYTES


def used_by(sandbox: Sandbox) -> int:
    """What a sandbox uses: its processes, and its files beyond their contents."""
    return used_bytes(descendants(sandbox.ancestors)) + files_bytes(sandbox)


async def watch(sandbox: Sandbox, limit_bytes: int) -> None:
    """Return when the sandbox uses more than ``limit_bytes``; run until cancelled otherwise."""
    while await asyncio.to_thread(used_by, sandbox) <= limit_bytes:
        await asyncio.sleep(INTERVAL_S)
