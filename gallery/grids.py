"""Boxes in a grid of columns: put so that none covers another, and cut into bands for a page.

Pure geometry in whole numbers, however large these are: a page needs only the order of rows, never
their count.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

#: A page knows so many columns, and so many different rows side by side.
MAX_COLUMNS = 24
MAX_LINES = 32


@dataclass(frozen=True)
class Box:
    """Where one cell stands: rows and columns from 0, sizes from 1."""

    cell: int
    row: int
    col: int
    width: int
    height: int

    @property
    def end_row(self) -> int:
        """Return the first row below it."""
        return self.row + self.height


@dataclass(frozen=True)
class Spot:
    """A box within its band: the lines that it begins at and spans, from 0 and from 1."""

    box: Box
    line: int
    lines: int


def settle(boxes: Iterable[Box], columns: int) -> list[Box]:
    """Return the boxes in reading order (row, then column), none over another.

    One that would cover an earlier one moves down, as the layouts' own editors do it.
    """
    free_from = [0] * columns
    settled = []
    for box in sorted(boxes, key=_place):
        within = range(box.col, box.col + box.width)
        row = max(box.row, *(free_from[column] for column in within))
        moved = replace(box, row=row)
        for column in within:
            free_from[column] = moved.end_row
        settled.append(moved)
    return sorted(settled, key=_place)


def bands(settled: Sequence[Box]) -> list[list[Spot]]:
    """Cut settled boxes where no box crosses; give each its lines within its band."""
    found: list[list[Box]] = []
    end_row = 0
    for box in settled:
        if not found or box.row >= end_row:
            found.append([])
        found[-1].append(box)
        end_row = max(end_row, box.end_row)
    return [_spots(band) for band in found]


def line_count(band: Sequence[Spot]) -> int:
    """Return how many lines a band has."""
    return max(spot.line + spot.lines for spot in band)


def _spots(band: Sequence[Box]) -> list[Spot]:
    edges = sorted({box.row for box in band} | {box.end_row for box in band})
    line_of = {row: line for line, row in enumerate(edges)}
    return [
        Spot(box, line_of[box.row], line_of[box.end_row] - line_of[box.row])
        for box in band
    ]


def _place(box: Box) -> tuple[int, int, int]:
    return (box.row, box.col, box.cell)
