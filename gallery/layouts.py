"""How a notebook's author arranged its cells: the metadata of Jupyter Dashboards, version 1.

A view of type `report` keeps the notebook's order, one of type `grid` has a place for each cell; in both,
cells may be hidden, and one that the view does not name is. The specification's words and those that
its editors write (`cellHeight` and `defaultCellHeight`, `numColumns` and `maxColumns`) are both read.
Whatever the metadata holds, this ends in a layout: what cannot be used is told as a fault.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gallery.grids import MAX_COLUMNS, MAX_LINES, Box, bands, line_count, settle

VERSION = 1
#: What the specification takes where a view or a cell says nothing.
COLUMNS, ROW_HEIGHT_PX, MARGIN_PX = 12, 20, 10
WIDTH, HEIGHT = 6, 2
MAX_ROW_HEIGHT_PX, MAX_MARGIN_PX = 1_000, 100
ROW_HEIGHTS = ("defaultCellHeight", "cellHeight")

NO_PLACE = (
    "The layout names no place that this cell could have. It stands below the others."
)
COVERED = "The layout puts this cell over another. It stands below that one."
TOO_WIDE = "The layout lets this cell reach beyond the last column. It ends there."

Values = Mapping[str, Any]


class Kind(StrEnum):
    """How the cells of a page follow each other."""

    NOTEBOOK = "notebook"
    REPORT = "report"
    GRID = "grid"


@dataclass(frozen=True)
class Fault:
    """What of a layout could not be used, in a sentence; `cell` counts from 0."""

    message: str
    cell: int | None = None


@dataclass(frozen=True)
class Layout:
    """What a page shows of its cells, and where; cells by their index in the notebook."""

    kind: Kind = Kind.NOTEBOOK
    hidden: frozenset[int] = frozenset()
    #: Of a grid: a box for each cell that is not hidden, in reading order, none over another.
    boxes: tuple[Box, ...] = ()
    columns: int = COLUMNS
    row_height_px: int = ROW_HEIGHT_PX
    margin_px: int = MARGIN_PX
    faults: tuple[Fault, ...] = ()


class _Unusable(Exception):
    """The layout cannot be used; the message says why, as the second half of a sentence."""


def read_layout(notebook: Values) -> Layout:
    """Return the layout of a notebook (nbformat 4, as uploaded or executed)."""
    dashboard = _dashboard(notebook)
    views = _part(dashboard, "views")
    if not views:
        return Layout()
    cells = notebook.get("cells")
    try:
        return _layout(dashboard, views, cells if isinstance(cells, list) else [])
    except _Unusable as why:
        return Layout(faults=(Fault(f"The layout is not used: {why}"),))


def _layout(dashboard: Values, views: Values, cells: Sequence[Any]) -> Layout:
    if dashboard.get("version", VERSION) != VERSION:
        raise _Unusable(f"it is not in version {VERSION} of the metadata.")
    view_id = _active(dashboard, views)
    view = _part(views, view_id)
    kind = view.get("type")
    if kind not in (Kind.REPORT, Kind.GRID):
        raise _Unusable("its view is neither a grid nor a report.")
    shown = {
        index: _part(_part(_dashboard(cell), "views"), view_id)
        for index, cell in enumerate(cells)
        if _is_shown(cell, view_id)
    }
    hidden = frozenset(range(len(cells))) - shown.keys()
    if kind == Kind.REPORT:
        return Layout(kind=Kind.REPORT, hidden=hidden)
    return _grid(view, shown, hidden)


def _active(dashboard: Values, views: Values) -> str:
    """Return the view that counts: the one that is named, or the first by its name."""
    named = dashboard.get("activeView")
    return named if isinstance(named, str) and named in views else min(views)


def _is_shown(cell: Any, view_id: str) -> bool:
    """Tell whether a cell was put into the view, and not hidden there."""
    cell_views = _part(_dashboard(cell), "views")
    return (
        view_id in cell_views and _part(cell_views, view_id).get("hidden") is not True
    )


def _grid(view: Values, shown: Mapping[int, Values], hidden: frozenset[int]) -> Layout:
    columns = _number(view, ("maxColumns", "numColumns"), COLUMNS)
    if not 1 <= columns <= MAX_COLUMNS:
        raise _Unusable(f"a grid here has 1 to {MAX_COLUMNS} columns.")
    asked = {
        index: _box(index, place, columns)
        for index, place in shown.items()
        if _has_place(place, columns)
    }
    boxes = settle(asked.values(), columns)
    faults = [*_cut(shown, asked), *_moved(asked, boxes)]
    unplaced = [index for index in shown if index not in asked]
    faults += [Fault(NO_PLACE, index) for index in unplaced]
    boxes += _below(boxes, unplaced, columns)
    if any(line_count(band) > MAX_LINES for band in bands(boxes)):
        raise _Unusable("too many different rows stand side by side in its grid.")
    return Layout(
        kind=Kind.GRID,
        hidden=hidden,
        boxes=tuple(boxes),
        columns=columns,
        row_height_px=_bounded(view, ROW_HEIGHTS, ROW_HEIGHT_PX, MAX_ROW_HEIGHT_PX),
        margin_px=_bounded(view, ("cellMargin",), MARGIN_PX, MAX_MARGIN_PX),
        faults=tuple(sorted(faults, key=lambda fault: fault.cell or 0)),
    )


def _has_place(place: Values, columns: int) -> bool:
    row, col = _number(place, ("row",), -1), _number(place, ("col",), -1)
    sizes = _number(place, ("width",), WIDTH), _number(place, ("height",), HEIGHT)
    return row >= 0 and 0 <= col < columns and min(sizes) >= 1


def _box(index: int, place: Values, columns: int) -> Box:
    col, width = place["col"], _number(place, ("width",), WIDTH)
    height = _number(place, ("height",), HEIGHT)
    return Box(index, place["row"], col, min(width, columns - col), height)


def _cut(shown: Mapping[int, Values], asked: Mapping[int, Box]) -> Iterator[Fault]:
    for index, box in asked.items():
        if _number(shown[index], ("width",), box.width) > box.width:
            yield Fault(TOO_WIDE, index)


def _moved(asked: Mapping[int, Box], settled: Iterable[Box]) -> Iterator[Fault]:
    for box in settled:
        if box.row != asked[box.cell].row:
            yield Fault(COVERED, box.cell)


def _below(boxes: Sequence[Box], cells: Sequence[int], columns: int) -> list[Box]:
    """Return boxes for cells without a place: below all others, as wide as the page."""
    first = max((box.end_row for box in boxes), default=0)
    return [
        Box(cell, first + number * HEIGHT, 0, columns, HEIGHT)
        for number, cell in enumerate(cells)
    ]


def _bounded(view: Values, names: Sequence[str], usual: int, most: int) -> int:
    """Return a size in pixels; one that no page has is not kept."""
    given = _number(view, names, usual)
    return given if 0 <= given <= most else usual


def _number(values: Values, names: Sequence[str], otherwise: int) -> int:
    """Return the first of these that is a whole number; yes and no are none."""
    for name in names:
        if type(values.get(name)) is int:
            return int(values[name])
    return otherwise


def _dashboard(part: Any) -> Values:
    """Return what a notebook or a cell says of dashboards; empty when it says nothing."""
    for name in ("metadata", "extensions", "jupyter_dashboards"):
        part = _part(part, name)
    found: Values = part
    return found


def _part(values: Any, name: str) -> Values:
    found = values.get(name) if isinstance(values, Mapping) else None
    return found if isinstance(found, Mapping) else {}
