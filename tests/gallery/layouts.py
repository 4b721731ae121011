"""Notebooks whose cells are arranged, as the editors of such layouts write them."""

from typing import Any

from tests.gallery.notebooks import code, notebook

GRID: dict[str, Any] = {
    "cellMargin": 10,
    "defaultCellHeight": 20,
    "maxColumns": 12,
    "name": "grid",
    "type": "grid",
}
REPORT: dict[str, Any] = {"name": "report", "type": "report"}


def at(row: int, col: int, width: int = 6, height: int = 2) -> dict[str, Any]:
    """A place in a grid."""
    return {"hidden": False, "row": row, "col": col, "width": width, "height": height}


def in_view(view: Any, view_id: str = "grid_default") -> dict[str, Any]:
    """A cell's metadata that says how it stands in one view."""
    return {
        "extensions": {"jupyter_dashboards": {"version": 1, "views": {view_id: view}}}
    }


def dashboard(
    active: str = "grid_default", views: Any = None, **more: Any
) -> dict[str, Any]:
    """A notebook's metadata that says which views it has."""
    views = {"grid_default": GRID, "report_default": REPORT} if views is None else views
    found = {"version": 1, "activeView": active, "views": views, **more}
    return {"extensions": {"jupyter_dashboards": found}}


def grid_of(*places: Any, **view: Any) -> dict[str, Any]:
    """A notebook with one code cell for each place in its grid; None: a cell without metadata."""
    views = {"grid_default": {**GRID, **view}}
    cells = [
        code(f"print({index})", **(in_view(place) if place is not None else {}))
        for index, place in enumerate(places)
    ]
    return notebook(*cells, **dashboard(views=views))
