"""Starts kernels in turns, confined and bare, and prints the seconds of each start as JSON.

A process of its own (`python -m tests.benchmarks.bare.starts ROUNDS FOLDER`), because a kernel host's
code takes the file system of its process into its own hands.
"""

import asyncio
import gc
import json
import sys
import time
from dataclasses import fields
from pathlib import Path

from runner.kernelhost import endpoints, environments, staging
from runner.kernelhost.host import Host
from runner.kernelhost.kernel import ConfinedKernel, Kind
from runner.kernelhost.sandbox import Launcher
from runner.kernelhost.settings import read_settings
from runner.kernelhost.templates import Templates
from tests.benchmarks.bare.launcher import (
    BareHost,
    PlainExec,
    start_bare,
    template_of_both,
)

#: A little time for what has just ended or become ready to fall silent.
PAUSE_S = 0.25
FORKS_PER_ROUND = 4
USUAL_PREFIX = endpoints.PREFIX_INSIDE
NO_FILTER, FILTER = "0", "2"


async def start_s(host: Host, kind: Kind, launcher: Launcher) -> float:
    """From the order to start a kernel until it has answered, on every channel that a run uses."""
    is_bare = isinstance(host, BareHost)
    start_bare(is_bare)
    endpoints.PREFIX_INSIDE = USUAL_PREFIX
    kernel = ConfinedKernel(host, kind, launcher)
    await asyncio.sleep(PAUSE_S)
    gc.collect()
    began = time.perf_counter()
    try:
        await kernel.start()
        took = time.perf_counter() - began
        expected = NO_FILTER if is_bare else FILTER
        assert kernel.launcher is launcher, "another launcher stood in"
        assert filter_of(kernel) == expected, "this was not the start to be measured"
        return took
    finally:
        await kernel.end()


def filter_of(kernel: ConfinedKernel) -> str:
    """Whether system calls of its process go through a filter, as the machine's kernel says."""
    sandbox = kernel.sandbox
    assert sandbox is not None
    pid = sandbox.kernel_pid() or sandbox.init_pid
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("Seccomp:"):
            return line.split()[1]
    raise AssertionError("this machine's kernel has no filters")


async def warm(host: Host, kind: Kind) -> tuple[Templates, Launcher]:
    """A template that has passed the probe of every layer."""
    kept, ready = Templates(host), asyncio.Event()
    kept.want(kind.definition, ready.set)
    await ready.wait()
    launcher = kept.launcher(kind.definition)
    assert launcher.name == "fork", "there is no template"
    return kept, launcher


async def measure(rounds: int, folder: Path) -> dict[str, list[float]]:
    """Seconds of each side by its name, round by round, after one that counts for nothing.

    Forks are measured several times in a round: what is added to them is little beside what two
    of them differ by.
    """
    settings = read_settings({"KERNEL_HOST_SOCKET": str(folder / "unused")})
    template_of_both(folder)
    host = Host(settings, staging.enter())
    await host.check()
    assert not host.missing, host.refusal()
    bare = BareHost(**{each.name: getattr(host, each.name) for each in fields(host)})
    definition = environments.resolve(
        settings.environments, "python-analytics", "python3"
    )
    kind = Kind(definition, settings.pool_caps)
    kept, template = await warm(host, kind)
    plain = PlainExec(folder / "plain")
    sides: dict[str, tuple[Host, Launcher]] = {
        "forked": (host, template),
        "forked bare": (bare, template),
        "started": (host, host.bubblewrap),
        "started bare": (bare, plain),
    }
    found: dict[str, list[float]] = {name: [] for name in sides}
    forks, starts = sorted(sides)[:2], sorted(sides)[2:]
    try:
        for number in range(rounds + 1):
            if number == 1:
                found = {name: [] for name in sides}
            for pair in (*[forks] * FORKS_PER_ROUND, starts):
                # Who comes first in a pair is who came second in the last one.
                pair.reverse()
                for name in pair:
                    seconds = await start_s(sides[name][0], kind, sides[name][1])
                    found[name].append(seconds)
    finally:
        await kept.close()
        host.close()
    return found


if __name__ == "__main__":
    json.dump(asyncio.run(measure(int(sys.argv[1]), Path(sys.argv[2]))), sys.stdout)
