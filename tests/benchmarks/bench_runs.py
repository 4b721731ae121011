"""From pressing Run to a readable result, next to papermill and nbconvert on the same notebooks.

Our side is everything: request, queue, approval checked anew, the person's own login, sandbox,
audit, encrypted result, harmless HTML.  The peer's side is two programs with a plain login and
no rights of anybody.  Both compute on the same rows with the same versions of the same packages.
"""

import statistics
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from time import perf_counter, sleep
from typing import Any

import httpx
import pytest

from tests.benchmarks import measured_notebooks as notebooks
from tests.benchmarks.demo_site import DemoSite, demo_site, run_s
from tests.benchmarks.peer import Papermill
from tests.benchmarks.report import publish, ratio

pytestmark = pytest.mark.timeout(3600)
ROUNDS = 7
#: Time for a kernel to be ready again for the next person.
PAUSE_S = 2.0
#: Runs of one round of throughput, two at a time.
RUNS_PER_ROUND = 4
LIMITS = '{"output_bytes_per_cell": 10000000, "output_bytes": 40000000}'
MEASURED: dict[str, tuple[list[str], dict[str, str]]] = {
    "(a) 3 cells": (notebooks.trivial(), {}),
    "(b) query and plot": (notebooks.query_and_plot(), {}),
    "(c) 200 cells": (notebooks.many_cells(), {}),
    "(d) 20 MB of output": (notebooks.much_output(), {"limits": LIMITS}),
}


@dataclass(frozen=True)
class Ours:
    """One demo, somebody of the laboratory, and the notebooks that she may run."""

    site: DemoSite
    person: httpx.Client
    slugs: dict[str, str]

    def run_s(self, name: str) -> float:
        """How long one run takes."""
        return run_s(self.person, self.slugs[name])


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ours]:
    """A demo as `make demo` starts it, with all notebooks approved."""
    with demo_site(tmp_path_factory.mktemp("demo") / "home") as site:
        slugs = {
            title: site.approve(title, notebooks.notebook(sources), **fields)
            for title, (sources, fields) in MEASURED.items()
        }
        with closing(site.sign_in("lena")) as person:
            yield Ours(site, person, slugs)


@pytest.fixture(scope="module")
def papermill(ours: Ours, tmp_path_factory: pytest.TempPathFactory) -> Papermill:
    """The peer, on the same rows."""
    return Papermill(tmp_path_factory.mktemp("papermill"), ours.site.data_dsn)


def document(title: str) -> dict[str, Any]:
    """A measured notebook as the peer gets it."""
    return notebooks.notebook(MEASURED[title][0])


def rounds_of(
    title: str, papermill: Papermill, ours: Ours
) -> list[tuple[float, float]]:
    """Seconds of the peer and of ours, round by round, after one that counts for nothing."""
    measured = []
    for number in range(ROUNDS + 1):
        peer_s = papermill.run_s(document(title), f"one-{number}")
        sleep(PAUSE_S)
        measured.append((peer_s, ours.run_s(title)))
    return measured[1:]


def test_a_run_takes_less_time_than_papermill(papermill: Papermill, ours: Ours) -> None:
    rows, ratios = [], []
    for title in MEASURED:
        peer, own = zip(*rounds_of(title, papermill, ours), strict=True)
        ratios.append(ratio(peer, own))
        times = [f"{statistics.median(each) * 1000:,.0f} ms" for each in (peer, own)]
        rows.append([title, *times, f"{ratios[-1]:.1f} ×"])
    publish(
        "runs", ["notebook", "papermill + nbconvert", "ours", "ratio"], rows, ROUNDS
    )
    assert min(ratios) > 1


def test_two_at_a_time_end_more_runs_a_minute_than_papermill(
    papermill: Papermill, ours: Ours
) -> None:
    title, names = "(b) query and plot", count()
    clients = [ours.site.sign_in("lena") for _ in range(2)]
    slug = ours.slugs[title]

    def own(number: int) -> None:
        run_s(clients[number % 2], slug)

    def peers(number: int) -> None:
        papermill.run_s(document(title), f"two-{next(names)}")

    def runs_a_minute(act: Any) -> float:
        began = perf_counter()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(act, range(RUNS_PER_ROUND)))
        return RUNS_PER_ROUND / (perf_counter() - began) * 60

    found = [(runs_a_minute(peers), runs_a_minute(own)) for _ in range(ROUNDS)]
    before, after = zip(*found, strict=True)
    gain = ratio(after, before)
    row = [f"{statistics.median(each):.0f} a minute" for each in (before, after)]
    publish(
        "throughput",
        ["papermill + nbconvert", "ours", "ratio"],
        [[*row, f"{gain:.1f} ×"]],
        ROUNDS,
    )
    assert gain > 1
