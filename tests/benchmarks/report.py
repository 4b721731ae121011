"""What a benchmark found: printed, and kept in docs/performance.md."""

import os
import platform
import re
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.support.environment import REPOSITORY

REPORT = REPOSITORY / "docs" / "performance.md"


def ratio(peer: Sequence[float], ours: Sequence[float]) -> float:
    """The median of the ratios of rounds that were measured next to each other."""
    return statistics.median(a / b for a, b in zip(peer, ours, strict=True))


def machine() -> str:
    """The machine and the day, in a sentence."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return (
        f"{os.cpu_count()} cores ({model[1] if model else platform.machine()}), "
        f"Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"
    )


def publish(
    section: str, columns: Sequence[str], rows: Sequence[Sequence[str]], rounds: int
) -> None:
    """Print a table, and put it in the place of the section's last one."""
    lines = [" | ".join(columns), " | ".join("---" for _ in columns)]
    lines += [" | ".join(row) for row in rows]
    table = "\n".join(f"| {line} |" for line in lines)
    found = f"{table}\n\nMedians of {rounds} rounds; {machine()}."
    keep(REPORT, section, found)


def keep(report: Path, section: str, found: str) -> None:
    """Print what was found, and put it in the place of the section's last one."""
    print(f"\n{found}")  # noqa: T201  what a benchmark is for
    begin, end = f"<!-- {section} -->", f"<!-- end of {section} -->"
    text = report.read_text(encoding="utf-8")
    before, _, rest = text.partition(begin)
    after = rest.partition(end)[2]
    report.write_text(f"{before}{begin}\n{found}\n{end}{after}", encoding="utf-8")
