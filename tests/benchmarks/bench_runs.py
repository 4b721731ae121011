"""From pressing Run to a readable result, next to papermill and nbconvert on the same notebooks.

Twice: with kernels that wait for a run, as the demo has them, and with none, so that each is forked
when it is asked for.

Our side is everything: request, queue, approval checked anew, the person's own login, sandbox,
audit, encrypted result, harmless HTML.  The peer's side is two programs with a plain login and
no rights of anybody.  Both compute on the same rows with the same versions of the same packages.
"""

import statistics
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from time import perf_counter, sleep
from typing import Any

import httpx
import pytest

from tests.benchmarks import measured_notebooks as notebooks
from tests.benchmarks.demo_site import DemoSite, demo_site, timed_run
from tests.benchmarks.peer import Papermill, PeerFailed
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
#: How runs get their kernels, and what tells the demo so.
WAITING, ON_DEMAND = "kernel waiting", "kernel on demand"
POOLS = {WAITING: "python-analytics/python3=2", ON_DEMAND: "python-analytics/python3=0"}
#: With all others the kernel's start is too little of the whole to be seen.
MEASURED_ON_DEMAND = ("(a) 3 cells", "(b) query and plot")
#: The notebook whose cells are also measured by themselves.
MEASURED_ALONE = "(b) query and plot"
#: How often a round of throughput is begun anew when the peer failed in it.
PEER_ATTEMPTS = 3
#: What a run does between two of its moments, from pressing Run to the page that is read.
PHASES = (
    "asking",
    "checks, ticket, queue",
    "claim, login, kernel",
    "cells, HTML",
    "sealing, storing, fetching",
)
#: Seconds of the peer and of ours, round by round, of a notebook.
Rounds = list[tuple[float, float]]


@dataclass(frozen=True)
class Ours:
    """One demo, somebody of the laboratory, and the notebooks that she may run."""

    way: str
    site: DemoSite
    person: httpx.Client
    slugs: dict[str, str]
    phases_s: dict[str, list[list[float]]] = field(default_factory=dict)

    def run_s(self, name: str) -> float:
        """How long one run takes; it must have had its kernel in the way that is measured."""
        pressed_at = datetime.now(UTC)
        took, run_id = timed_run(self.person, self.slugs[name])
        self.site.require_kernel(run_id, pooled=self.way == WAITING)
        read_at = pressed_at + timedelta(seconds=took)
        moments = [pressed_at, *self.site.moments(run_id), read_at]
        phases = [
            (after - before).total_seconds() for before, after in pairwise(moments)
        ]
        self.phases_s.setdefault(name, []).append(phases)
        return took


@pytest.fixture(scope="module")
def ours(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ours]:
    """A demo as `make demo` starts it, with all notebooks approved."""
    way = request.param
    home = tmp_path_factory.mktemp("demo") / "home"
    with demo_site(home, KERNEL_HOST_POOL=POOLS[way]) as site:
        slugs = {
            title: site.approve(title, notebooks.notebook(sources), **fields)
            for title, (sources, fields) in MEASURED.items()
        }
        with closing(site.sign_in("lena")) as person:
            yield Ours(way, site, person, slugs)


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, Rounds]]:
    """What was measured so far, by way and notebook."""
    return {}


@pytest.fixture(scope="module")
def papermill(ours: Ours, tmp_path_factory: pytest.TempPathFactory) -> Papermill:
    """The peer, on the same rows."""
    return Papermill(tmp_path_factory.mktemp("papermill"), ours.site.data_dsn)


def document(title: str) -> dict[str, Any]:
    """A measured notebook as the peer gets it."""
    return notebooks.notebook(MEASURED[title][0])


def rounds_of(title: str, papermill: Papermill, ours: Ours) -> Rounds:
    """Round by round, after one that counts for nothing."""
    measured = []
    for number in range(ROUNDS + 1):
        peer_s = papermill.run_s(document(title), f"one-{number}")
        sleep(PAUSE_S)
        measured.append((peer_s, ours.run_s(title)))
    return measured[1:]


def publish_alone(papermill: Papermill, rounds: Rounds) -> None:
    """How far anything could come that executes these cells, however fast it were itself."""
    sources = MEASURED[MEASURED_ALONE][0]
    alone = [papermill.cells_alone_s(sources) for _ in range(ROUNDS)]
    peer, own = zip(*rounds, strict=True)
    row = [MEASURED_ALONE, milliseconds(alone), milliseconds(own)]
    most = statistics.median(peer) / statistics.median(alone)
    columns = ["notebook", "its cells alone", "ours, all of it", "papermill / alone"]
    publish("alone", columns, [[*row, f"{most:.1f} ×"]], ROUNDS)


def milliseconds(seconds: Iterable[float]) -> str:
    """The median, for a table."""
    return f"{statistics.median(seconds) * 1000:,.0f} ms"


def row_of(title: str, found: dict[str, dict[str, Rounds]]) -> list[str]:
    """A notebook's row: the peer, then each way with its ratio to the peer of the same rounds."""
    cells = []
    for way in POOLS:
        rounds = found[way].get(title)
        if rounds is None:
            cells += ["", ""]
            continue
        peer, own = zip(*rounds, strict=True)
        cells += [milliseconds(own), f"{ratio(peer, own):.1f} ×"]
    peers = [peer for way in found.values() for peer, _ in way.get(title, [])]
    return [title, milliseconds(peers), *cells]


@pytest.mark.parametrize("ours", POOLS, indirect=True)
def test_a_run_takes_less_time_than_papermill(
    papermill: Papermill, ours: Ours, found: dict[str, dict[str, Rounds]]
) -> None:
    titles = MEASURED if ours.way == WAITING else MEASURED_ON_DEMAND
    found[ours.way] = {title: rounds_of(title, papermill, ours) for title in titles}
    if ours.way == WAITING:
        rows = [
            [title, *map(milliseconds, zip(*ours.phases_s[title][1:], strict=True))]
            for title in titles
        ]
        publish("phases", ["notebook", *PHASES], rows, ROUNDS)
        publish_alone(papermill, found[ours.way][MEASURED_ALONE])
    if found.keys() == POOLS.keys():
        ways = [column for way in POOLS for column in (way, "ratio")]
        columns = ["notebook", "papermill + nbconvert", *ways]
        publish("runs", columns, [row_of(title, found) for title in MEASURED], ROUNDS)
    for rounds in found[ours.way].values():
        assert ratio(*zip(*rounds, strict=True)) > 1


@pytest.mark.parametrize("ours", [WAITING], indirect=True)
def test_two_at_a_time_end_more_runs_a_minute_than_papermill(
    papermill: Papermill, ours: Ours
) -> None:
    title, names = "(b) query and plot", count()
    slug = ours.slugs[title]

    def peers(number: int) -> None:
        papermill.run_s(document(title), f"two-{next(names)}")

    def runs_a_minute(act: Any) -> float:
        began = perf_counter()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(act, range(RUNS_PER_ROUND)))
        return RUNS_PER_ROUND / (perf_counter() - began) * 60

    def peers_a_minute() -> float:
        """Two at once may choose the same ports for their kernels; such a round does not count."""
        for _ in range(PEER_ATTEMPTS - 1):
            try:
                return runs_a_minute(peers)
            except PeerFailed as failure:
                print(f"papermill failed at {failure}; begun anew")  # noqa: T201
        return runs_a_minute(peers)

    with ExitStack() as stack:
        clients = [
            stack.enter_context(closing(ours.site.sign_in("lena"))) for _ in range(2)
        ]

        def own(number: int) -> None:
            timed_run(clients[number % 2], slug)

        found = [(peers_a_minute(), runs_a_minute(own)) for _ in range(ROUNDS)]
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
