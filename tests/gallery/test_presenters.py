"""What of two versions is told to differ, beside their code."""

from typing import Any

import pytest

from gallery.findings import find
from gallery.models import Version
from gallery.presenters import Change, changes_beside_code
from tests.gallery.layouts import at, grid_of
from tests.gallery.notebooks import as_bytes, code, notebook

pytestmark = pytest.mark.security
HIDDEN = {"hidden": True}
GRID = "Readers see the cells in a grid, not in the notebook's order"
SHOWN_LESS = f"{GRID}; 1 cell runs but is not shown"


def version_of(made: dict[str, Any], *, is_told: bool = True) -> Version:
    found = find(made, environment_packages=set()) if is_told else []
    return Version(
        document=as_bytes(made),
        parameters={},
        data_sources=[],
        findings=[each.as_dict() for each in found],
    )


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    return changes_beside_code(version_of(old), version_of(new))


def declaring(*names: str) -> dict[str, Any]:
    return notebook(code("1"), countersign={"sensitive_widgets": list(names)})


def test_another_hidden_cell_is_told_by_its_number() -> None:
    old = grid_of(at(0, 0), HIDDEN, at(2, 0))
    new = grid_of(at(0, 0), at(2, 0), HIDDEN)
    assert changes(old, new) == [
        Change("Layout", f"{SHOWN_LESS} (cell 2)", f"{SHOWN_LESS} (cell 3)")
    ]


def test_each_of_several_hidden_cells_is_numbered() -> None:
    (change,) = changes(grid_of(at(0, 0), at(2, 0)), grid_of(HIDDEN, HIDDEN))
    assert change.after == f"{GRID}; 2 cells run but are not shown (cells 1, 2)"


@pytest.mark.parametrize(
    "new",
    [
        grid_of(at(2, 0), at(0, 0)),
        grid_of(at(0, 0), at(2, 0, width=3)),
        grid_of(at(0, 0), at(2, 0), maxColumns=10),
        grid_of(at(0, 0), at(2, 0), defaultCellHeight=40),
    ],
)
def test_cells_in_other_places_are_told(new: dict[str, Any]) -> None:
    (change,) = changes(grid_of(at(0, 0), at(2, 0)), new)
    assert change.before == GRID
    assert change.after == f"{GRID}; cells stand elsewhere, or in other sizes"


@pytest.mark.parametrize("made", [grid_of(at(0, 0), HIDDEN), notebook(code("1"))])
def test_the_same_layout_is_no_change(made: dict[str, Any]) -> None:
    assert changes(made, made) == []


def test_a_place_that_is_cut_off_alike_is_no_change() -> None:
    assert changes(grid_of(at(0, 6)), grid_of(at(0, 6, width=9))) == []


def test_a_layout_that_nobody_was_told_of_is_compared_as_readers_see_it() -> None:
    before = version_of(grid_of(at(0, 0), at(2, 0)), is_told=False)
    other = version_of(grid_of(at(2, 0), at(0, 0)), is_told=False)
    now = version_of(grid_of(at(0, 0), at(2, 0)))
    assert changes_beside_code(before, other) == []
    assert changes_beside_code(before, now) == [
        Change("Layout", "the notebook's order", GRID)
    ]


def test_what_is_no_longer_kept_is_told() -> None:
    (added,) = changes(declaring("Age"), declaring("Age", "Note"))
    assert added.what == "Values of controls"
    assert "“Age” to is not kept" in added.before
    assert "“Age”, “Note” to is not kept" in added.after
    (first,) = changes(notebook(code("1")), declaring("Age"))
    assert (first.before, first.after) == ("kept", added.before)
