"""What a soak found: printed, and kept in docs/reliability.md."""

from collections.abc import Mapping, Sequence

from tests.benchmarks.report import keep, machine
from tests.support.environment import REPOSITORY

REPORT = REPOSITORY / "docs" / "reliability.md"


def publish(section: str, tables: Sequence[str], sentence: str) -> None:
    """Print tables and what they are about, and put them in the place of the last ones."""
    found = "\n\n".join([f"{sentence} {machine()}.", *tables])
    keep(REPORT, section, found)


def table(columns: Sequence[str], rows: Mapping[str, object]) -> str:
    """A table of names and what was counted of each."""
    lines = [" | ".join(columns), " | ".join("---" for _ in columns)]
    lines += [f"{name} | {value}" for name, value in rows.items()]
    return "\n".join(f"| {line} |" for line in lines)
