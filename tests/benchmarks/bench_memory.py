"""What twenty kernels hold after they have worked, next to twenty stock ones.

Each has made a table of 100,000 rows with pandas and drawn it with matplotlib, and waits.  Pages that
kernels share are counted once between them (PSS); the template that ours share them with counts too.
"""

import os
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

from tests.benchmarks.report import publish, ratio
from tests.runner.kernelhost.harness import REPOSITORY, ForkingHost

pytestmark = pytest.mark.timeout(1800)
ROUNDS = 3
KERNELS = 20
WORKED = "worked"
WORK = f"""
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

rows = 100_000
results = pd.DataFrame({{"month": np.arange(rows) % 24, "test": np.arange(rows) % 7, "value": np.random.rand(rows)}})
by_month = results.groupby(["month", "test"])["value"].agg(["count", "mean"]).reset_index()
by_month.pivot(index="month", columns="test", values="count").plot(figsize=(8, 4))
plt.show()
print("{WORKED}")
"""


def pss_bytes(pids: set[int]) -> int:
    """What processes hold, shared pages divided among those who share them."""
    return sum(
        int(line.split()[1]) * 1024
        for pid in pids
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        if line.startswith("Pss:")
    )


def below(pid: int) -> set[int]:
    """All processes that a process has started, and theirs."""
    return {each.pid for each in psutil.Process(pid).children(recursive=True)}


@contextmanager
def stock_kernel() -> Iterator[int]:
    """One kernel of Jupyter's own that has worked; its process."""
    python = REPOSITORY / ".environments" / "python-analytics" / "bin" / "python"
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    manager = KernelManager()
    manager._kernel_spec = KernelSpec(argv=argv, language="python")
    # Equal terms: ours calculates with one thread, whose stacks and arenas are fewer.
    manager.start_kernel(
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    )
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(60)
        client.execute_interactive(WORK, output_hook=lambda message: None, timeout=120)
        yield manager.provisioner.pid
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def stock_bytes() -> int:
    """Twenty stock kernels."""
    with ExitStack() as stack:
        return pss_bytes({stack.enter_context(stock_kernel()) for _ in range(KERNELS)})


def own_bytes(host: ForkingHost) -> int:
    """Twenty confined kernels and their template; the host's own process is not a kernel."""
    hold = "import time\ntime.sleep(300)"
    with ExitStack() as stack:
        for _ in range(KERNELS):
            request = host.request(WORK, hold, limits={"wall_clock_s": 300})
            session = stack.enter_context(host.ask(request))
            for event in session.events():
                if event["event"] == "cell_finished":
                    assert event["status"] == "ok", event
                    break
        time.sleep(1)
        return pss_bytes(below(host.process.pid))


class OneTemplate(ForkingHost):
    """A kernel host with nothing but the template of the measured kernels."""

    pool = "python-analytics/python3=0"


def test_twenty_kernels_hold_less_than_twenty_stock_ones(tmp_path: Path) -> None:
    host = OneTemplate(tmp_path / "forked")
    host.start()
    try:
        rounds = [(stock_bytes(), own_bytes(host)) for _ in range(ROUNDS)]
    finally:
        host.stop()
    stock, own = zip(*rounds, strict=True)
    megabytes = [f"{statistics.median(each) / 1e6:,.0f} MB" for each in (stock, own)]
    saved = ratio(stock, own)
    columns = ["20 stock kernels", "20 confined kernels", "ratio"]
    publish("memory", columns, [[*megabytes, f"{saved:.1f} ×"]], ROUNDS)
    assert saved > 1
