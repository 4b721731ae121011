"""What automated checks say."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One thing that a check saw.

    ``code`` is stable; ``cell`` counts from 0 and ``line`` from 1, None where the finding is about more than
    that. An error is what a reviewer should hardly ever let pass; nothing here decides by itself.
    """

    code: str
    severity: Severity
    message: str
    cell: int | None = None
    line: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as JSON scalars."""
        return asdict(self)


@dataclass(frozen=True)
class TableUse:
    """A table that a cell's SQL reads or writes, with the columns named; ``["*"]`` stands for every column."""

    table: str
    columns: list[str]
    cell: int

    def as_dict(self) -> dict[str, Any]:
        """Return the use as JSON."""
        return asdict(self)
