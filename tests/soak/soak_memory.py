"""Two thousand runs through one worker, which holds no more at the end than at the beginning.

Its memory (the anonymous part of PSS: pages that a fork shares are divided among those who share them, and
pages of files, which other programs of the machine share as well, are left out) is read while nothing runs: of the
parent, which takes messages, and of its children, which supervise the runs and are exchanged for
new ones after CELERY_WORKER_MAX_TASKS_PER_CHILD of them.
Settings: MEMORY_RUNS (2000).
"""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.benchmarks.demo_site import DemoSite, demo_site, timed_run
from tests.soak.notebooks import NOTEBOOKS
from tests.soak.product import Product
from tests.soak.report import publish, table

RUNS = int(os.environ.get("MEMORY_RUNS", "2000"))
SAMPLES = 100
#: The first samples, in which caches fill and every code path is loaded.
WARMING = 20
#: How much more the parts may hold at their most in the second half than in the first: for
#: each of the runs between, less than the 2 KiB that a slope was allowed.  1.5 MB of 2,000 runs.
MOST_BYTES_MORE = 750 * RUNS
PEOPLE = ("lena", "bill")

pytestmark = pytest.mark.timeout(RUNS * 10 + 900)


def held_bytes(pids: set[int]) -> int:
    """What processes hold of their own; another demo that ends must not look like growth."""
    held = 0
    for pid in pids:
        with suppress(OSError):  # a child that is being exchanged
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            held += sum(
                int(line.split()[1]) * 1024
                for line in rollup
                if line.startswith("Pss_Anon:")
            )
    return held


@dataclass
class Measured:
    """One part, and what it held after so many runs."""

    name: str
    pids: Callable[[], set[int]]
    bounded: bool
    samples: list[tuple[int, int]] = field(default_factory=list)

    def sample(self, runs: int) -> None:
        """Read what it holds now."""
        self.samples.append((runs, held_bytes(self.pids())))

    @property
    def most_bytes(self) -> tuple[int, int]:
        """The most that it held after the warming: in the first half, and in the second."""
        held = [each for _, each in self.samples[WARMING:]]
        half = len(held) // 2
        return max(held[:half]), max(held[half:])

    @property
    def bytes_more(self) -> int:
        """How much the second half needed more."""
        first, second = self.most_bytes
        return second - first

    def row(self) -> str:
        """The most of both halves, the difference and its bound, in words."""
        first, second = self.most_bytes
        bound = f"{MOST_BYTES_MORE / 1e6:.1f} MB" if self.bounded else "none"
        more = f"{self.bytes_more / 1e6:+.1f} MB"
        return f"{first / 1e6:.1f} MB | {second / 1e6:.1f} MB | {more} | {bound}"


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoSite]:
    """A demo of its own."""
    with demo_site(tmp_path_factory.mktemp("memory") / "home") as running:
        yield running


def parts(product: Product) -> list[Measured]:
    """The worker that takes these runs, and for comparison who else works on them."""
    worker = product.pid("api-worker")
    children = len(product.children(worker))
    alone = {name: product.pid(name) for name in ("kernels", "web")}
    return [
        Measured("worker, parent", lambda: {worker}, bounded=True),
        Measured(
            f"worker, {children} children",
            lambda: set(product.children(worker)),
            bounded=True,
        ),
        Measured("kernel host", lambda: {alone["kernels"]}, bounded=False),
        Measured("web server", lambda: {alone["web"]}, bounded=False),
    ]


def test_a_worker_holds_as_much_after_all_runs_as_before(site: DemoSite) -> None:
    notebook = NOTEBOOKS[0]
    slug = site.approve(notebook.title, notebook.document())
    product = Product(site.home)
    measured = parts(product)
    share = RUNS // SAMPLES // len(PEOPLE)
    began = time.monotonic()
    with ThreadPoolExecutor(len(PEOPLE)) as pool:
        for number in range(1, SAMPLES + 1):
            list(pool.map(lambda name: ask(site, name, slug, share), PEOPLE))
            for each in measured:
                each.sample(number * share * len(PEOPLE))
    took_s = time.monotonic() - began
    columns = [
        "process",
        "at most, first half",
        "at most, second half",
        "more",
        "may be",
    ]
    publish(
        "memory",
        [table(columns, {each.name: each.row() for each in measured})],
        f"{measured[0].samples[-1][0]:,} runs in {took_s / 60:.0f} minutes, "
        f"the first {measured[0].samples[WARMING - 1][0]:,} of them to warm up;",
    )
    for each in measured:
        assert not each.bounded or each.bytes_more < MOST_BYTES_MORE, each.name


def ask(site: DemoSite, name: str, slug: str, runs: int) -> None:
    """Have some runs, one after the other."""
    with closing(site.sign_in(name)) as person:
        for _ in range(runs):
            timed_run(person, slug)
