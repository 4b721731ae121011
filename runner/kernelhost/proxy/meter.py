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

    def holds(self, rows: int, size_bytes: int) -> bool:
        """Whether so many rows of so many bytes together may still be read."""
        return (
            self.rows + rows <= self.limits.rows
            and self.bytes + size_bytes <= self.limits.bytes
        )

    def take(self, rows: int, size_bytes: int) -> None:
        """Count rows that are about to be handed to the kernel.

        Raises:
            LimitReached: they are too many; none of them may be handed over.
        """
        if not self.holds(rows, size_bytes):
            too_many = self.rows + rows > self.limits.rows
            words = ROWS_REACHED if too_many else BYTES_REACHED
            limit = self.limits.rows if too_many else self.limits.bytes
            raise LimitReached("54000", words.format(limit=limit, source=self.source))
        self.rows += rows
        self.bytes += size_bytes

    def overtime(self) -> LimitReached:
        """The refusal of a statement that takes too long."""
        message = TIME_REACHED.format(limit=self.limits.statement_s, source=self.source)
        return LimitReached("57014", message)
