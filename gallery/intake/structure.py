"""Is this JSON a notebook of a format that we know, and not too large?"""

from typing import Any

from nbformat.validator import get_validator

from gallery.intake.errors import (
    InvalidNotebook,
    NotANotebook,
    TooManyCells,
    UnknownFormat,
)
from gallery.intake.format3 import to_format_4
from gallery.intake.ids import assign_ids
from gallery.intake.limits import MAX_CELLS
from gallery.intake.notes import Notes


def as_format_4(value: Any, notes: Notes) -> dict[str, Any]:
    """Return ``value`` as a notebook of format 4.5 that its schema accepts, outputs still in it.

    Raises NotANotebook, UnknownFormat, TooManyCells, InvalidNotebook.
    """
    value, major = _known_format(value)
    if major == 3:
        _refuse_invalid(value | {"nbformat_minor": 0}, major=3, minor=0)
        notes.add("format_3")
        value = to_format_4(value)
    cells = value.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise InvalidNotebook(
            "This notebook has no list of cells. Open it in Jupyter, save it and upload that file."
        )
    if len(cells) > MAX_CELLS:
        raise TooManyCells(
            f"This notebook has {len(cells):,} cells; the limit is {MAX_CELLS:,}. Split it into several notebooks.",
            cells=len(cells),
            max_cells=MAX_CELLS,
        )
    notebook: dict[str, Any] = value | {
        "nbformat": 4,
        "nbformat_minor": 5,
        "cells": assign_ids(cells, notes),
    }
    _refuse_invalid(notebook, major=4, minor=5)
    return notebook


def _known_format(value: Any) -> tuple[dict[str, Any], int]:
    if not isinstance(value, dict) or "nbformat" not in value:
        raise NotANotebook(
            "This file is JSON, but not a Jupyter notebook: it does not name a notebook format."
        )
    major, minor = value["nbformat"], value.get("nbformat_minor", 0)
    if (
        type(major) is not int
        or type(minor) is not int
        or minor < 0
        or major not in (3, 4)
    ):
        raise UnknownFormat(
            "This notebook's format is not known here; formats 3 and 4 are. Open it in a current Jupyter, "
            "save it and upload that file.",
        )
    return value, major


def _refuse_invalid(notebook: dict[str, Any], *, major: int, minor: int) -> None:
    if _is_valid(notebook, major, minor):
        return
    bad = _first_invalid_cell(notebook) if major == 4 else None
    where = "This notebook" if bad is None else f"Cell {bad + 1} of this notebook"
    raise InvalidNotebook(
        f"{where} does not follow the notebook format {major}. Open it in Jupyter, save it and upload that file.",
        cell=bad,
    )


def _first_invalid_cell(notebook: dict[str, Any]) -> int | None:
    """Return the index of the cell that is wrong, or None when it is the notebook around the cells."""
    if not _is_valid(notebook | {"cells": []}, 4, 5):
        return None
    cells = enumerate(notebook["cells"])
    return next(
        (i for i, cell in cells if not _is_valid(notebook | {"cells": [cell]}, 4, 5)),
        None,
    )


def _is_valid(notebook: dict[str, Any], major: int, minor: int) -> bool:
    validator: Any = get_validator(major, minor)
    return next(iter(validator.iter_errors(notebook)), None) is None
