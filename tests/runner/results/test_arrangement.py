"""Cells in their places: the page's order, and classes that the style sheet knows, all of them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.grids import MAX_COLUMNS, MAX_LINES, Box
from gallery.layouts import (
    MAX_MARGIN_PX,
    MAX_ROW_HEIGHT_PX,
    Kind,
    Layout,
    read_layout,
)
from runner.results.arrangement import MAX_GAP, MAX_TALL, Standing, arranged
from runner.results.document import LAYOUT
from tests.gallery.layouts import at, grid_of

SHEET = LAYOUT.read_text(encoding="utf-8")
RULES = dict(re.findall(r"\.(cs-[a-z]+-\d+) \{ ([^}]+?); \}", SHEET))


@pytest.mark.parametrize("kind", [Kind.NOTEBOOK, Kind.REPORT])
def test_without_a_grid_cells_keep_their_order(kind):
    layout = Layout(kind=kind, hidden=frozenset({1}))
    assert list(arranged(layout, [0, 1, 4])) == [Standing(0), Standing(1), Standing(4)]


def test_a_grid_is_read_row_by_row_in_bands():
    layout = read_layout(grid_of(at(9, 0, 12, 1), at(0, 6, 6, 8), at(0, 0, 6, 2)))
    first, second, third = arranged(layout, [0, 1, 2])
    band = "cs-band cs-columns-12 cs-rows-{} cs-gap-3"
    assert first == Standing(
        2, "cs-box cs-col-1 cs-cols-6 cs-line-1 cs-lines-1 cs-tall-3", band.format(2)
    )
    assert second == Standing(
        1, "cs-box cs-col-7 cs-cols-6 cs-line-1 cs-lines-2 cs-tall-12", closes=True
    )
    assert third == Standing(
        0,
        "cs-box cs-col-1 cs-cols-12 cs-line-1 cs-lines-1 cs-tall-1",
        band.format(1),
        closes=True,
    )


def test_cells_that_show_nothing_leave_no_line_behind():
    layout = read_layout(grid_of(at(0, 0, 6, 2), at(2, 0, 6, 2), at(0, 6, 6, 4)))
    assert [place.cell for place in arranged(layout, [0, 2])] == [0, 2]
    (alone,) = arranged(layout, [1])
    assert "cs-line-1 cs-lines-1" in alone.classes
    assert (bool(alone.opens), alone.closes) == (True, True)


def test_a_hidden_cell_that_has_something_to_tell_comes_first():
    layout = read_layout(grid_of(at(0, 0), {"hidden": True}, at(2, 0)))
    assert [place.cell for place in arranged(layout, [0, 1, 2])] == [1, 0, 2]
    assert next(iter(arranged(layout, [0, 1, 2]))) == Standing(1)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**53),
            st.integers(0, MAX_COLUMNS - 1),
            st.integers(1, 2**53),
            st.integers(1, 2**53),
        ),
        max_size=12,
    ),
    st.integers(1, MAX_COLUMNS),
    st.integers(0, MAX_ROW_HEIGHT_PX),
    st.integers(0, MAX_MARGIN_PX),
)
def test_every_class_that_a_layout_can_need_has_its_rule(
    boxes, columns, height, margin
):
    made = grid_of(
        *(at(*box) for box in boxes),
        maxColumns=columns,
        defaultCellHeight=height,
        cellMargin=margin,
    )
    stands = list(arranged(read_layout(made), range(len(boxes))))
    assert len(stands) == len(boxes)
    words = {w for each in stands for w in f"{each.opens} {each.classes}".split()}
    assert words - RULES.keys() <= {"cs-band", "cs-box"}
    assert sum(bool(each.opens) for each in stands) == sum(
        each.closes for each in stands
    )


def test_the_rules_say_what_the_classes_mean():
    for number in range(1, MAX_COLUMNS + 1):
        tracks = f"grid-template-columns: repeat({number}, minmax(0, 1fr))"
        assert RULES[f"cs-columns-{number}"] == tracks
        assert RULES[f"cs-col-{number}"] == f"grid-column-start: {number}"
        assert RULES[f"cs-cols-{number}"] == f"grid-column-end: span {number}"
    for number in range(1, MAX_LINES + 1):
        assert RULES[f"cs-line-{number}"] == f"grid-row-start: {number}"
        assert RULES[f"cs-lines-{number}"] == f"grid-row-end: span {number}"
        rows = f"repeat({number - 1}, min-content) 1fr" if number > 1 else "1fr"
        assert RULES[f"cs-rows-{number}"] == f"grid-template-rows: {rows}"
    heights = [RULES[f"cs-tall-{n}"] for n in range(1, MAX_TALL + 1)]
    gaps = [RULES[f"cs-gap-{n}"] for n in range(MAX_GAP + 1)]
    assert len(set(heights)) == MAX_TALL
    assert len(set(gaps)) == MAX_GAP + 1
    assert len(RULES) == 3 * MAX_COLUMNS + 3 * MAX_LINES + MAX_TALL + MAX_GAP + 1


def test_a_box_is_as_high_as_its_rows_and_their_margins():
    def tall(height: int, row_height_px: int = 20, margin_px: int = 10) -> str:
        box = Box(0, 0, 0, 1, height)
        layout = Layout(
            Kind.GRID, boxes=(box,), row_height_px=row_height_px, margin_px=margin_px
        )
        (place,) = arranged(layout, [0])
        return place.classes.rpartition("-")[2]

    assert [tall(1), tall(2), tall(4), tall(2**53)] == ["1", "3", "6", str(MAX_TALL)]
    assert tall(3, row_height_px=0, margin_px=0) == "1"
