"""A thousand runs while their parts are killed: each ends once, none runs twice, nothing is left.

Settings: RUNS (1000), SEED (of the kills; by chance, and printed), KILL_EVERY_S (7, on average).
"""

import ctypes
import os
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.benchmarks.demo_site import DemoSite, demo_site, done
from tests.soak import ends
from tests.soak.notebooks import NOTEBOOKS
from tests.soak.people import SUCCEEDED, Crowd
from tests.soak.product import Product
from tests.soak.remains import Remains
from tests.soak.report import publish, table
from tests.soak.victims import VICTIMS, Killer

RUNS = int(os.environ.get("RUNS", "1000"))
SEED = int(os.environ.get("SEED") or secrets.randbelow(1_000_000))
KILL_EVERY_S = float(os.environ.get("KILL_EVERY_S", "7"))
PER_RUN_S = 15
#: What waited for a message that the dead broker had is sent for again after half a minute.
QUIET_WITHIN_S = 240
PR_SET_CHILD_SUBREAPER = 36

pytestmark = pytest.mark.timeout(RUNS * PER_RUN_S + 1200)


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoSite]:
    """A demo whose orphans become children of this process, where they are found."""
    assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    with demo_site(tmp_path_factory.mktemp("soak") / "home") as running:
        yield running


def test_every_run_ends_once_and_leaves_nothing_whatever_is_killed(
    site: DemoSite,
) -> None:
    print(f"\nSEED={SEED} RUNS={RUNS}, home {site.home}", flush=True)  # noqa: T201
    slugs = {
        each.title: site.approve(each.title, each.document()) for each in NOTEBOOKS
    }
    product = Product(site.home)
    ends.begin(product)
    remains = Remains(product, site.pid)
    crowd = Crowd(site, slugs, runs=RUNS)
    killer = Killer(product, seed=SEED, every_s=KILL_EVERY_S)
    began = time.monotonic()
    killer.start()
    try:
        crowd.use_the_product(within_s=RUNS * PER_RUN_S)
    finally:
        killer.stop()
    took_s = time.monotonic() - began
    left = remains.all_gone(within_s=QUIET_WITHIN_S)
    runs = ends.runs_of(product, slugs)
    wrong = ends.faults(runs, crowd.asked)
    succeeded = {run.id: run.owner for run in runs if run.status == SUCCEEDED}
    unreadable = crowd.unreadable(succeeded)
    log = verified(site)
    report(runs, killer, crowd, left, wrong, took_s)
    assert not any(left.values()), left
    assert not wrong, wrong
    assert not unreadable, unreadable
    assert log["is_whole"], log
    assert killer.error is None, killer.error


def verified(site: DemoSite) -> dict[str, object]:
    """What the product itself says of its event log."""
    with closing(site.sign_in("iris")) as auditor:
        found: dict[str, object] = done(auditor.get("audit/verify/"))
    return found


def report(
    runs: list[ends.SoakedRun],
    killer: Killer,
    crowd: Crowd,
    left: dict[str, list[str]],
    wrong: list[str],
    took_s: float,
) -> None:
    """Print and keep what there was."""
    ended = Counter(f"{run.status} {run.code}".strip() for run in runs)
    kills = {victim: killer.kills[victim] for victim in VICTIMS}
    print(f"trouble of people: {dict(crowd.trouble)}, missed: {dict(killer.misses)}")  # noqa: T201
    publish(
        "kills",
        [
            table(["runs by end", "how many"], dict(ended.most_common())),
            table(["killed (`kill -9`)", "how often"], kills),
            table(["left", "how many"], {k: len(each) for k, each in left.items()}),
        ],
        f"{len(runs):,} runs in {took_s / 60:.0f} minutes, {killer.kills.total()} kills, "
        f"{len(wrong)} runs with a wrong end; seed {SEED};",
    )
