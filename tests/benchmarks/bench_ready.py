"""How much sooner a confined kernel is ready than a stock one that nothing confines.

Four sides run in turns: Jupyter's own start until `wait_for_ready`, and this product's from the
request to the event `ready` with every layer in force: started by bubblewrap, forked from a warm
template, and waited for. Prints milliseconds and ratios to the stock side of the same round.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

from tests.benchmarks.report import publish, ratio
from tests.runner.kernelhost.harness import (
    REPOSITORY,
    ForkingHost,
    HostWithWaitingKernels,
    KernelHost,
)

ROUNDS = 7
#: A little time for the kernel that has just become ready to fall silent.
PAUSE_S = 0.5
READY_TIMEOUT_S = 60


def stock_s() -> float:
    """How long Jupyter's own manager takes for the same environment."""
    python = REPOSITORY / ".environments" / "python-analytics" / "bin" / "python"
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    manager = KernelManager()
    manager._kernel_spec = KernelSpec(argv=argv, language="python")
    asked_at = time.perf_counter()
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(READY_TIMEOUT_S)
        return time.perf_counter() - asked_at
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def ready_s(host: KernelHost) -> float:
    """How long a request takes until its kernel is ready."""
    if isinstance(host, HostWithWaitingKernels):
        host.wait_for_kernels()
    request = host.request("1")
    time.sleep(PAUSE_S)
    asked_at = time.perf_counter()
    with host.ask(request) as session:
        events = session.events()
        while next(events)["event"] != "ready":
            pass
        return time.perf_counter() - asked_at


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[dict[str, KernelHost]]:
    """One running host for each way of getting a kernel."""
    running = {
        "started": KernelHost(tmp_path / "started"),
        "forked": ForkingHost(tmp_path / "forked"),
        "waited": HostWithWaitingKernels(tmp_path / "waited"),
    }
    for host in running.values():
        host.start()
    yield running
    for host in running.values():
        host.stop()


def test_a_confined_kernel_is_ready_sooner_than_a_stock_one(hosts) -> None:
    sides: dict[str, Callable[[], float]] = {
        "stock": stock_s,
        **{name: lambda host=host: ready_s(host) for name, host in hosts.items()},
    }
    rounds = [
        {name: measure() for name, measure in sides.items()} for _ in range(ROUNDS)
    ]
    rows, ratios = [], {}
    for name in sides:
        milliseconds = statistics.median(each[name] for each in rounds) * 1000
        ratios[name] = ratio(
            [each["stock"] for each in rounds], [each[name] for each in rounds]
        )
        rows.append([name, f"{milliseconds:,.1f} ms", f"{ratios[name]:.1f} ×"])
    publish("ready", ["kernel", "ready after", "ratio to stock"], rows, ROUNDS)
    assert ratios["forked"] > ratios["started"]
    assert ratios["waited"] > ratios["forked"]
