"""Boxes of a grid: none over another, in reading order, and cut into bands where none crosses."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from gallery.grids import Box, bands, line_count, settle

COLUMNS = 12


def boxes_of(*places: tuple[int, int, int, int]) -> list[Box]:
    return [Box(cell, *place) for cell, place in enumerate(places)]


def cover(one: Box, other: Box) -> bool:
    return (
        one.row < other.end_row
        and other.row < one.end_row
        and one.col < other.col + other.width
        and other.col < one.col + one.width
    )


def lines(*places: tuple[int, int, int, int]) -> list[list[tuple[int, int, int]]]:
    found = bands(settle(boxes_of(*places), COLUMNS))
    return [[(spot.box.cell, spot.line, spot.lines) for spot in band] for band in found]


@st.composite
def any_boxes(draw: st.DrawFn) -> list[Box]:
    found = []
    for cell in range(draw(st.integers(0, 12))):
        col = draw(st.integers(0, COLUMNS - 1))
        width = draw(st.integers(1, COLUMNS - col))
        row, height = draw(st.integers(0, 2**53)), draw(st.integers(1, 2**53))
        near = draw(st.booleans())
        found.append(
            Box(
                cell,
                row % 20 if near else row,
                col,
                width,
                height % 9 + 1 if near else height,
            )
        )
    return found


@given(any_boxes())
def test_no_box_covers_another_and_none_moves_up_or_aside(boxes):
    settled = settle(boxes, COLUMNS)
    assert not [pair for pair in combinations(settled, 2) if cover(*pair)]
    was = {box.cell: box for box in boxes}
    assert sorted(box.cell for box in settled) == sorted(was)
    for box in settled:
        before = was[box.cell]
        assert box.row >= before.row
        assert (box.col, box.width, box.height) == (
            before.col,
            before.width,
            before.height,
        )


@given(any_boxes())
def test_what_covers_nothing_stays_where_it_is(boxes):
    settled = settle(boxes, COLUMNS)
    assert settle(settled, COLUMNS) == settled


@given(any_boxes())
def test_bands_keep_the_reading_order_and_what_stands_above_what(boxes):
    settled = settle(boxes, COLUMNS)
    found = bands(settled)
    assert [spot.box for band in found for spot in band] == settled
    for band in found:
        assert min(spot.line for spot in band) == 0
        assert all(spot.lines >= 1 for spot in band)
        for one, other in combinations(band, 2):
            is_above = one.box.end_row <= other.box.row
            assert is_above == (one.line + one.lines <= other.line)
        assert line_count(band) <= 2 * len(band) - 1
    for one, other in combinations(found, 2):
        assert max(s.box.end_row for s in one) <= min(s.box.row for s in other)


def test_a_box_that_would_cover_another_moves_below_it():
    settled = settle(boxes_of((0, 0, 6, 4), (2, 3, 6, 2), (0, 6, 6, 1)), COLUMNS)
    assert [(box.cell, box.row) for box in settled] == [(0, 0), (2, 0), (1, 4)]


def test_two_boxes_in_one_place_stand_in_the_notebooks_order():
    settled = settle(boxes_of((3, 0, 6, 2), (3, 0, 6, 2)), COLUMNS)
    assert [(box.cell, box.row) for box in settled] == [(0, 3), (1, 5)]


def test_boxes_side_by_side_are_one_band_and_boxes_below_another():
    assert lines((0, 0, 6, 8), (0, 6, 6, 4), (4, 6, 6, 4), (8, 0, 12, 2)) == [
        [(0, 0, 2), (1, 0, 1), (2, 1, 1)],
        [(3, 0, 1)],
    ]


def test_rows_in_which_nothing_stands_are_no_lines():
    assert lines((0, 0, 6, 2), (1_000_000, 6, 6, 2)) == [[(0, 0, 1)], [(1, 0, 1)]]


def test_boxes_that_interlock_are_one_band():
    (band,) = lines((0, 0, 6, 3), (0, 6, 6, 2), (2, 6, 6, 3), (3, 0, 6, 2))
    assert band == [(0, 0, 2), (1, 0, 1), (2, 1, 2), (3, 2, 1)]


def test_no_boxes_are_no_bands():
    assert bands(settle([], COLUMNS)) == []
