"""What confinement adds to the start of a kernel, next to the same start with nothing that confines.

Forked: from one template, by the same order, with every layer or with none. Started: the same command by
bubblewrap, or as it is. The two of a pair run one after the other, until the kernel answers; what is added is the
median of their differences.
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.report import publish
from tests.support.environment import REPOSITORY

pytestmark = pytest.mark.timeout(600)
ROUNDS = 31
#: The most that all layers together may add to a fork.
MAX_ADDED_MS = 15.0


def starts(folder: Path) -> dict[str, list[float]]:
    """Seconds of every start, by side."""
    module = "tests.benchmarks.bare.starts"
    argv = [sys.executable, "-m", module, str(ROUNDS), str(folder)]
    done = subprocess.run(argv, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True)
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found


def test_confinement_adds_little_to_a_start(tmp_path: Path) -> None:
    found, rows, added = starts(tmp_path), [], {}
    for name in ("forked", "started"):
        bare, confined = (found[f"{name} bare"], found[name])
        pairs = zip(bare, confined, strict=True)
        added[name] = statistics.median(after - before for before, after in pairs)
        medians = map(statistics.median, (bare, confined))
        times = [f"{each * 1000:,.1f} ms" for each in (*medians, added[name])]
        rows.append([name, *times])
    columns = ["kernel", "unconfined", "with every layer", "confinement adds"]
    publish("confinement", columns, rows, ROUNDS)
    assert added["forked"] * 1000 <= MAX_ADDED_MS
