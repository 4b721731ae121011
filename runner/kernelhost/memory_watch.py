"""Keeps a run within its memory where control groups are impossible: it adds up what its processes use."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from runner.kernelhost.confinement import WRITABLE
from runner.kernelhost.sandbox import Sandbox

INTERVAL_S = 0.25
#: What the machine's kernel remembers of one file, however empty; no size of a tmpfs limits it.
FILE_BYTES = 1024
PROPORTIONAL = ("Pss_Anon", "Pss_Shmem")


def descendants(pid: int) -> list[int]:
    """A process and everything below it. In a pid namespace nothing escapes its process 1."""
    found = [pid]
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


def files_bytes(init_pid: int) -> int:
    """What the names and the nodes of all files take that a sandbox has made."""
    files = 0
    for place in WRITABLE:
        # Nothing is mounted yet, or nothing is any more.
        with suppress(OSError):
            found = os.statvfs(f"/proc/{init_pid}/root{place}")
            files += found.f_files - found.f_ffree
    return files * FILE_BYTES


def used_below(init_pid: int) -> int:
    """What a sandbox uses: its processes, and its files beyond their contents."""
    return used_bytes(descendants(init_pid)) + files_bytes(init_pid)


async def watch(sandbox: Sandbox, limit_bytes: int) -> None:
    """Return when the sandbox uses more than ``limit_bytes``; run until cancelled otherwise."""
    while await asyncio.to_thread(used_below, sandbox.init_pid) <= limit_bytes:
        await asyncio.sleep(INTERVAL_S)
