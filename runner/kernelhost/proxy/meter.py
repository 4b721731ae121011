"""What a run may read from one data source, counted where SQL cannot reach."""

from __future__ import annotations

from dataclasses import dataclass

from runner.kernelhost.protocol import SourceLimits

MAX_STATEMENTS = 50_000
ROWS_REACHED = (
    "This run may read {limit:,} rows from {source} and has read them. "
    "Narrow the query: add a WHERE clause, aggregate in SQL, or use LIMIT."
)
BYTES_REACHED = (
    "This run may read {limit:,} bytes from {source} and has read them. "
    "Narrow the query: select fewer columns or fewer rows."
)
STATEMENTS_REACHED = (
    "This run may send {limit:,} statements to {source} and has sent them. "
    "Read more rows with fewer statements."
)
TIME_REACHED = (
    "A statement on {source} may take {limit:g} s and took longer. "
    "Narrow the query: filter earlier, join fewer tables, or read a shorter period."
)


class LimitReached(Exception):
    """A limit of the run on a data source. Carries SQLSTATE and what to narrow."""

    def __init__(self, sqlstate: str, message: str) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.message = message


@dataclass
class Meter:
    """The counters of one run on one data source, over all its connections."""

    source: str
    limits: SourceLimits
    rows: int = 0
    bytes: int = 0
    statements: int = 0

    def statement(self) -> None:
        """Count a statement that is about to be sent.

        Raises:
            LimitReached: the run has sent too many.
        """
        if self.statements >= MAX_STATEMENTS:
            raise LimitReached(
                "54000",
                STATEMENTS_REACHED.format(limit=MAX_STATEMENTS, source=self.source),
            )
        self.statements += 1

    def row(self, size_bytes: int) -> None:
        """Count a row that is about to be handed to the kernel.

        Raises:
            LimitReached: it is one too many; the row must not be handed over.
        """
        if self.rows >= self.limits.rows:
            raise LimitReached(
                "54000", ROWS_REACHED.format(limit=self.limits.rows, source=self.source)
            )
        if self.bytes + size_bytes > self.limits.bytes:
            raise LimitReached(
                "54000",
                BYTES_REACHED.format(limit=self.limits.bytes, source=self.source),
            )
        self.rows += 1
        self.bytes += size_bytes

    def overtime(self) -> LimitReached:
        """The refusal of a statement that takes too long."""
        message = TIME_REACHED.format(limit=self.limits.statement_s, source=self.source)
        return LimitReached("57014", message)
