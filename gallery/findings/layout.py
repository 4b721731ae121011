"""What a notebook's layout keeps from its readers: they sign for cells that nobody sees."""

from collections.abc import Iterator
from typing import Any

from gallery.findings.model import Finding
from gallery.layouts import Kind, Layout, read_layout
from gallery.parameters.names import SKIP_TAG, has_tag

#: The finding that says how readers see the cells; it is signed with the version.
CODE = "layout"
#: The finding of each cell that they do not see.
NOT_SHOWN_CODE = "not_shown"
_ARRANGED = {
    Kind.GRID: "Readers see the cells in a grid, not in the notebook's order",
    Kind.REPORT: "Readers see the cells as a report, in the notebook's order",
}


def check_layout(notebook: dict[str, Any]) -> Iterator[Finding]:
    """Yield how the cells are arranged, each cell that is not shown, and what could not be used."""
    layout, cells = read_layout(notebook), notebook["cells"]
    if layout.kind != Kind.NOTEBOOK:
        yield Finding(CODE, "info", _arrangement(layout, cells))
    for index in sorted(layout.hidden):
        if _runs(cells[index]):
            message = "The layout does not show what this cell puts out. It runs all the same: read it."
            yield Finding(NOT_SHOWN_CODE, "info", message, index)
        elif _is_text(cells[index]):
            message = "The layout does not show this text."
            yield Finding(NOT_SHOWN_CODE, "info", message, index)
    for fault in layout.faults:
        yield Finding("layout_fault", "warning", fault.message, fault.cell)


def _arrangement(layout: Layout, cells: list[dict[str, Any]]) -> str:
    hidden = [cells[index] for index in layout.hidden]
    parts = (
        _ARRANGED[layout.kind],
        _counted(sum(map(_runs, hidden)), "cell runs but is", "cells run but are"),
        _counted(sum(map(_is_text, hidden)), "text is", "texts are"),
    )
    return "; ".join(filter(None, parts)) + "."


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many} not shown" if count else ""


def _runs(cell: dict[str, Any]) -> bool:
    is_code = cell["cell_type"] == "code" and bool(cell["source"].strip())
    return is_code and not has_tag(cell, SKIP_TAG)


def _is_text(cell: dict[str, Any]) -> bool:
    return cell["cell_type"] == "markdown" and bool(cell["source"].strip())
