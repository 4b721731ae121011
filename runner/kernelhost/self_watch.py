"""Keeps the host itself small: a message without end fills our memory before we can look at it.

ZeroMQ assembles a message of many parts on its own thread and hands it over
whole, so no limit on messages helps. When the host has grown far beyond what
its runs explain, the run whose processes wrote the most is stopped.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from runner.kernelhost.memory_watch import descendants
from runner.kernelhost.run import Run

INTERVAL_S = 0.2
MIB = 1024 * 1024
# What the host may use beyond its start, and for each run.
BASE_BYTES = 256 * MIB
PER_RUN_BYTES = 192 * MIB
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def resident_bytes() -> int:
    """The memory that this process uses."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


def written_bytes(pids: Iterable[int]) -> int:
    """What processes and everything below them have written, sockets included."""
    total = 0
    for member in descendants(pids):
        with suppress(OSError, ValueError):
            lines = Path(f"/proc/{member}/io").read_text().splitlines()
            total += sum(
                int(line.split()[1]) for line in lines if line.startswith("wchar:")
            )
    return total


def loudest(runs: Iterable[Run]) -> Run | None:
    """The run that wrote the most."""
    candidates = [(run, run.ancestors) for run in runs]
    known = [(written_bytes(pids), run) for run, pids in candidates if pids]
    return max(known, key=lambda pair: pair[0])[1] if known else None


async def watch(runs: set[Run]) -> None:
    """Stop the loudest run whenever the host is too large; run until cancelled."""
    start = resident_bytes()
    while True:
        await asyncio.sleep(INTERVAL_S)
        if resident_bytes() > start + BASE_BYTES + PER_RUN_BYTES * len(runs):
            run = loudest(runs)
            if run is not None:
                run.stop_now("output_limit")
