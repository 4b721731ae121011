"""Keeps a run within its memory where control groups are impossible: it adds up what its processes use."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from runner.kernelhost.launcher import Sandbox

INTERVAL_S = 0.25
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


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
    """Anonymous and shared memory of some processes; pages shared by two count twice."""
    total = 0
    for pid in pids:
        with suppress(OSError, ValueError, IndexError):
            resident, file_backed = (
                int(n) for n in Path(f"/proc/{pid}/statm").read_text().split()[1:3]
            )
            total += max(0, resident - file_backed) * PAGE_BYTES
    return total


async def watch(sandbox: Sandbox, limit_bytes: int) -> None:
    """Return when the sandbox uses more than ``limit_bytes``; run until cancelled otherwise."""
    while used_bytes(descendants(sandbox.init_pid)) <= limit_bytes:
        await asyncio.sleep(INTERVAL_S)
