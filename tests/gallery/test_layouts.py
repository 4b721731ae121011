"""The layout that a notebook's metadata asks for, and what becomes of one that cannot be."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.grids import MAX_COLUMNS, MAX_LINES
from gallery.intake import read_notebook
from gallery.layouts import COVERED, NO_PLACE, TOO_WIDE, Kind, Layout, read_layout
from tests.gallery.layouts import GRID, REPORT, at, dashboard, grid_of, in_view
from tests.gallery.notebooks import as_bytes, code, markdown, notebook

FULL = 12


def places(layout: Layout) -> list[tuple[int, int, int, int, int]]:
    return [(b.cell, b.row, b.col, b.width, b.height) for b in layout.boxes]


def faults(layout: Layout) -> list[tuple[int | None, str]]:
    return [(fault.cell, fault.message) for fault in layout.faults]


def test_a_notebook_without_views_keeps_its_order():
    for metadata in ({}, dashboard(views={}), {"extensions": {}}):
        assert read_layout(notebook(code("1"), **metadata)) == Layout()


def test_a_grid_puts_each_cell_where_it_says():
    layout = read_layout(grid_of(at(4, 0, 12, 3), at(0, 6), at(0, 0, 6, 4)))
    assert layout.kind == Kind.GRID
    assert places(layout) == [(2, 0, 0, 6, 4), (1, 0, 6, 6, 2), (0, 4, 0, 12, 3)]
    assert (layout.columns, layout.row_height_px, layout.margin_px) == (12, 20, 10)
    assert layout.hidden == frozenset()
    assert layout.faults == ()


def test_a_report_keeps_the_order_and_hides_what_it_hides():
    cells = [
        code("1", **in_view({"hidden": h}, "report_default")) for h in (True, False)
    ]
    layout = read_layout(notebook(*cells, **dashboard("report_default")))
    assert layout == Layout(kind=Kind.REPORT, hidden=frozenset({0}))


@pytest.mark.parametrize("kind", ["grid", "report"])
def test_a_cell_that_the_view_does_not_name_is_hidden(kind):
    named = in_view({**at(0, 0), "hidden": False}, f"{kind}_default")
    elsewhere = in_view({"hidden": False}, "another")
    cells = code("1"), code("2", **elsewhere), code("3", **named), markdown("four")
    layout = read_layout(notebook(*cells, **dashboard(f"{kind}_default")))
    assert layout.hidden == {0, 1, 3}


def test_a_cell_in_the_view_is_shown_unless_it_says_that_it_is_hidden():
    cells = [
        in_view(view, "report_default")
        for view in ({}, {"hidden": "yes"}, {"hidden": None})
    ]
    made = notebook(
        *(code("1", **each) for each in cells), **dashboard("report_default")
    )
    assert read_layout(made).hidden == frozenset()


def test_the_view_that_is_named_counts_else_the_first_by_its_name():
    views = {"b": REPORT, "a": GRID, "c": {**GRID, "maxColumns": 4}}
    kinds = {
        active: read_layout(notebook(**dashboard(active, views)))
        for active in ("a", "b", "c", "z", "", None, 7)
    }
    assert {name: layout.kind for name, layout in kinds.items()} == {
        "a": Kind.GRID,
        "b": Kind.REPORT,
        "c": Kind.GRID,
        "z": Kind.GRID,
        "": Kind.GRID,
        None: Kind.GRID,
        7: Kind.GRID,
    }
    assert (kinds["c"].columns, kinds["z"].columns) == (4, 12)


def test_what_is_not_said_is_what_the_specification_says():
    bare = {"grid_default": {"type": "grid"}}
    cell = code("1", **in_view({"row": 3, "col": 2}))
    layout = read_layout(notebook(cell, **dashboard(views=bare)))
    assert (layout.columns, layout.row_height_px, layout.margin_px) == (12, 20, 10)
    assert places(layout) == [(0, 3, 2, 6, 2)]


def test_the_words_of_the_specification_are_understood_like_those_of_its_editors():
    spec = {"type": "grid", "numColumns": 8, "cellHeight": 35, "cellMargin": 4}
    layout = read_layout(notebook(**dashboard(views={"g": spec})))
    assert (layout.columns, layout.row_height_px, layout.margin_px) == (8, 35, 4)
    both = {**spec, "maxColumns": 6, "defaultCellHeight": 50}
    layout = read_layout(notebook(**dashboard(views={"g": both})))
    assert (layout.columns, layout.row_height_px) == (6, 50)


@pytest.mark.parametrize(
    "place",
    [
        {},
        {"row": 1},
        {"col": 1},
        {"row": -1, "col": 0},
        {"row": 0, "col": 12},
        {"row": 0, "col": -1},
        {"row": 1.0, "col": 0},
        {"row": "1", "col": 0},
        {"row": True, "col": 0},
        {"row": None, "col": None},
        {"row": float("nan"), "col": 0},
        {"row": 0, "col": 0, "width": 0},
        {"row": 0, "col": 0, "height": -3},
    ],
)
def test_a_cell_without_a_place_that_it_could_have_stands_below_the_others(place):
    layout = read_layout(grid_of(place, at(5, 0, 6, 3), place))
    assert places(layout) == [(1, 5, 0, 6, 3), (0, 8, 0, FULL, 2), (2, 10, 0, FULL, 2)]
    assert faults(layout) == [(0, NO_PLACE), (2, NO_PLACE)]


def test_a_cell_over_another_moves_down_and_that_is_told():
    layout = read_layout(grid_of(at(0, 0), at(1, 3)))
    assert places(layout) == [(0, 0, 0, 6, 2), (1, 2, 3, 6, 2)]
    assert faults(layout) == [(1, COVERED)]


def test_a_cell_that_is_too_wide_ends_at_the_last_column():
    layout = read_layout(grid_of(at(0, 8, 99)))
    assert places(layout) == [(0, 0, 8, 4, 2)]
    assert faults(layout) == [(0, TOO_WIDE)]


@pytest.mark.parametrize("columns", [0, -1, MAX_COLUMNS + 1, 2**53])
def test_a_grid_of_more_columns_than_a_page_has_is_not_used(columns):
    layout = read_layout(grid_of(at(0, 0), {"hidden": True}, maxColumns=columns))
    assert (layout.kind, layout.hidden) == (Kind.NOTEBOOK, frozenset())
    assert [fault.cell for fault in layout.faults] == [None]
    assert "1 to 24 columns" in layout.faults[0].message


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("defaultCellHeight", 1_000, 1_000),
        ("defaultCellHeight", 1_001, 20),
        ("defaultCellHeight", -5, 20),
        ("cellMargin", 0, 0),
        ("cellMargin", 2**53, 10),
    ],
)
def test_heights_and_margins_that_no_page_has_are_the_usual_ones(name, given, kept):
    layout = read_layout(grid_of(at(0, 0), **{name: given}))
    assert kept == (layout.margin_px if name == "cellMargin" else layout.row_height_px)


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        (dashboard(version=2), "version 1"),
        (dashboard(version="1"), "version 1"),
        (dashboard(version=[1]), "version 1"),
        (dashboard(views={"grid_default": {"type": "tabs"}}), "neither"),
        (dashboard(views={"grid_default": {"type": ["grid"]}}), "neither"),
        (dashboard(views={"grid_default": 7}), "neither"),
    ],
)
def test_a_layout_that_is_not_understood_is_not_used_and_that_is_told(metadata, why):
    layout = read_layout(notebook(code("1", **in_view({"hidden": True})), **metadata))
    assert (layout.kind, layout.hidden) == (Kind.NOTEBOOK, frozenset())
    (fault,) = layout.faults
    assert why in fault.message


def test_rows_of_any_number_are_only_an_order():
    layout = read_layout(grid_of(at(2**53, 0), at(10_000, 0), at(0, 0, 6, 2**53)))
    assert [box.cell for box in layout.boxes] == [2, 1, 0]
    assert (
        len(read_layout(grid_of(*(at(10 * n, 0) for n in range(2_000)))).boxes) == 2_000
    )


def test_too_many_different_rows_side_by_side_are_not_used():
    def beside(count: int) -> Layout:
        small = (at(row, 6, 6, 1) for row in range(count))
        return read_layout(grid_of(at(0, 0, 6, count), *small))

    assert beside(MAX_LINES).kind == Kind.GRID
    refused = beside(MAX_LINES + 1)
    assert refused.kind == Kind.NOTEBOOK
    assert "side by side" in refused.faults[0].message


def test_what_an_upload_keeps_is_what_was_asked_for():
    made = grid_of(at(0, 6), {"hidden": True}, at(0, 0), maxColumns=10)
    view = made["metadata"]["extensions"]["jupyter_dashboards"]["views"]["grid_default"]
    del view["defaultCellHeight"]
    view["cellHeight"] = 33
    kept = read_notebook(as_bytes(made)).notebook
    assert read_layout(kept) == read_layout(made)
    assert read_layout(kept).row_height_px == 33


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(["grid", "report", "grid_default"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["grid_default", "type", "hidden", "row", "col", "width", "height"]
            )
            | st.text(max_size=2),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(ANYTHING, ANYTHING, st.lists(ANYTHING, max_size=4), ANYTHING)
def test_any_metadata_ends_in_a_layout_of_whole_numbers(version, active, views, cells):
    def wrapped(value: Any) -> dict[str, Any]:
        found = {"version": version, "activeView": active, "views": value}
        return {"metadata": {"extensions": {"jupyter_dashboards": found}}}

    named = {"grid_default": views[0] if views else GRID}
    for of_notebook in (named, views, cells, {"grid_default": GRID}):
        made = {**wrapped(of_notebook), "cells": [*map(wrapped, views), cells, named]}
        layout = read_layout(made)
        for box in layout.boxes:
            assert {type(v) for v in (box.row, box.col, box.width, box.height)} == {int}
            assert 0 <= box.col < box.col + box.width <= layout.columns <= MAX_COLUMNS
        assert json.dumps(sorted(layout.hidden))
