"""Whoever signs a version knows which of its cells readers will not see."""

from typing import Any

import pytest

from gallery.findings import find
from gallery.findings.layout import CODE
from gallery.layouts import COVERED, NO_PLACE
from tests.gallery.layouts import REPORT, at, dashboard, grid_of, in_view
from tests.gallery.notebooks import code, markdown, notebook

HIDDEN = {"hidden": True}


def told(made: dict[str, Any]) -> list[tuple[str, str, int | None, str]]:
    codes = (CODE, "not_shown", "layout_fault")
    found = find(made, environment_packages=set())
    return [
        (each.code, each.severity, each.cell, each.message)
        for each in found
        if each.code in codes
    ]


def summary(made: dict[str, Any]) -> str:
    (message,) = [message for code, _, _, message in told(made) if code == CODE]
    return message


def test_a_notebook_in_its_own_order_has_none_of_these():
    assert told(notebook(code("1"))) == []


def test_a_grid_that_shows_everything_is_said_to_be_one():
    assert told(grid_of(at(0, 0))) == [
        (
            CODE,
            "info",
            None,
            "Readers see the cells in a grid, not in the notebook's order.",
        )
    ]


def test_each_hidden_cell_is_named_and_all_are_counted():
    found = told(grid_of(HIDDEN, at(0, 0), None))
    assert found[0][3] == (
        "Readers see the cells in a grid, not in the notebook's order; "
        "2 cells run but are not shown."
    )
    assert [(code, cell) for code, _, cell, _ in found[1:]] == [
        ("not_shown", 0),
        ("not_shown", 2),
    ]
    assert "It runs all the same" in found[1][3]


def test_cells_that_do_not_run_are_not_counted_as_running():
    cells = [
        code("", **in_view(HIDDEN, "r")),
        code("1", tags=["Skip-Execution"], **in_view(HIDDEN, "r")),
        code("2", **in_view(HIDDEN, "r")),
        markdown("Who may see this.", metadata=in_view(HIDDEN, "r")),
        {**markdown("raw"), "cell_type": "raw"},
    ]
    made = notebook(*cells, **dashboard("r", {"r": REPORT}))
    assert summary(made) == (
        "Readers see the cells as a report, in the notebook's order; "
        "1 cell runs but is not shown; 1 text is not shown."
    )
    assert [(code, cell) for code, _, cell, _ in told(made)] == [
        (CODE, None),
        ("not_shown", 2),
        ("not_shown", 3),
    ]


@pytest.mark.parametrize(
    ("place", "message"), [({"row": -1, "col": 0}, NO_PLACE), (at(0, 2), COVERED)]
)
def test_a_place_that_a_cell_cannot_have_is_told_at_the_cell(place, message):
    assert told(grid_of(at(0, 0), place))[1:] == [
        ("layout_fault", "warning", 1, message)
    ]


def test_a_layout_that_is_not_used_is_told_and_hides_nothing():
    ((code_, severity, cell, message),) = told(grid_of(HIDDEN, maxColumns=2**53))
    assert (code_, severity, cell) == ("layout_fault", "warning", None)
    assert message.startswith("The layout is not used")
