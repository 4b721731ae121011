"""Checks of a notebook's build: tags, hidden cells, attachments, size, where its parameters are."""

import ast
from collections.abc import Iterator
from typing import Any

from gallery.findings.cells import CheckedCell, CheckedNotebook
from gallery.findings.model import Finding
from gallery.findings.waiting import LEFT_OUT_CODE, LIVE_TAG
from gallery.parameters.assignments import read_assignments
from gallery.parameters.infer import infer_parameters
from gallery.parameters.names import INJECTED_TAG, PARAMETERS_TAG, SKIP_TAG
from gallery.parameters.widget_names import widget_names

_HIDING = {
    "remove-cell",
    "remove-input",
    "remove_cell",
    "remove_input",
    "hide-cell",
    "hide-input",
    "hide_input",
}
_KNOWN = _HIDING | {
    PARAMETERS_TAG,
    INJECTED_TAG,
    LIVE_TAG,
    SKIP_TAG,
    "raises-exception",
    "remove-output",
    "remove_output",
    "hide-output",
}
_MAX_LINES = 200
_MAX_COLUMNS = 400
_FAR_RIGHT = " " * 60


def check_parameters(notebook: dict[str, Any]) -> Iterator[Finding]:
    """Yield what reading the parameters could not tell for certain."""
    inferred = infer_parameters(notebook)
    for note in inferred.notes:
        yield Finding("parameters", "info", note, inferred.cell_index)


def check_structure(notebook: CheckedNotebook) -> Iterator[Finding]:
    """Yield what is unusual about the build of ``notebook``."""
    for cell in notebook.cells:
        yield from _check_tags(cell)
        yield from _check_size(cell)
        if cell.metadata.get("jupyter", {}).get(
            "source_hidden"
        ) is True or _HIDING.intersection(cell.tags):
            message = "This cell's code is hidden in Jupyter or in reports. It runs all the same: read it."
            yield Finding("hidden_cell", "warning", message, cell.index)
        if cell.attachments:
            message = f"Images are attached to this cell ({len(cell.attachments)}). Make sure that they show no patient."
            yield Finding("attachments", "info", message, cell.index)
    yield from _check_parameters(notebook)


def _check_tags(cell: CheckedCell) -> Iterator[Finding]:
    if INJECTED_TAG in cell.tags:
        message = "An earlier tool left its parameters in this cell. It is replaced at each run: remove it."
        yield Finding("injected_cell", "error", message, cell.index)
    if "raises-exception" in cell.tags:
        message = "This cell is tagged “raises-exception”: the run goes on when it fails, and readers may not notice."
        yield Finding("raises_exception", "warning", message, cell.index)
    if SKIP_TAG in cell.tags:
        yield Finding(
            "skipped_cell",
            "info",
            f"This cell is tagged “{SKIP_TAG}” and is not run.",
            cell.index,
        )
    if LIVE_TAG in cell.tags:
        message = (
            f"This cell is tagged “{LIVE_TAG}”: runs without a live page leave it out."
        )
        yield Finding(LEFT_OUT_CODE, "info", message, cell.index)
    for tag in cell.tags:
        if tag not in _KNOWN:
            yield Finding(
                "unknown_tag",
                "info",
                f"The tag “{tag}” has no meaning here.",
                cell.index,
            )


def _check_size(cell: CheckedCell) -> Iterator[Finding]:
    if cell.cell_type != "code":
        return
    if not cell.is_read:
        message = "There is too much code to check: nothing of this cell was read. Read it closely, or ask for less."
        yield Finding("not_checked", "error", message, cell.index)
    lines = cell.source.split("\n")
    if len(lines) > _MAX_LINES:
        message = (
            f"This cell has {len(lines)} lines. Shorter cells are easier to review."
        )
        yield Finding("long_cell", "info", message, cell.index)
    for number, line in enumerate(lines, start=1):
        if len(line) > _MAX_COLUMNS or _FAR_RIGHT in line.strip():
            message = f"This line is {len(line)} characters long; code may stand outside the part that is seen."
            yield Finding("long_line", "warning", message, cell.index, number)


def _check_parameters(notebook: CheckedNotebook) -> Iterator[Finding]:
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    tagged = [cell for cell in code if PARAMETERS_TAG in cell.tags]
    if not tagged:
        return
    for cell in tagged[1:]:
        message = "A second cell is tagged “parameters”. It runs after the values are set and overrides them."
        yield Finding("second_parameters_cell", "error", message, cell.index)
    if LIVE_TAG in tagged[0].tags:
        message = (
            f"The parameters cell is tagged “{LIVE_TAG}”: runs without a live page leave it out, and what they are "
            "asked with has nothing to be set in. Remove the tag."
        )
        yield Finding("live_only_parameters", "error", message, tagged[0].index)
    before = [
        cell
        for cell in code
        if cell.index < tagged[0].index and not _only_imports(cell)
    ]
    if before:
        message = "Code runs before the parameters are set. Make the parameters the first code cell."
        yield Finding("parameters_not_first", "warning", message, tagged[0].index)
    yield from _check_unused(notebook, tagged[0])


def _only_imports(cell: CheckedCell) -> bool:
    return cell.tree is not None and all(
        isinstance(node, ast.Import | ast.ImportFrom) for node in cell.tree.body
    )


def _check_unused(
    notebook: CheckedNotebook, parameters: CheckedCell
) -> Iterator[Finding]:
    if parameters.tree is None:
        return
    later = [
        cell
        for cell in notebook.cells
        if cell.index > parameters.index and cell.cell_type == "code"
    ]
    if any(cell.tree is None for cell in later):
        return
    used = {
        node.id
        for cell in [parameters, *later]
        if cell.tree
        for node in ast.walk(cell.tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    names = widget_names(
        cell.python
        for cell in notebook.cells[: parameters.index + 1]
        if cell.python is not None
    )
    for assignment in read_assignments(parameters.tree, parameters.source, [], names):
        if assignment.name not in used:
            message = f"The parameter “{assignment.name}” is asked for but never used."
            yield Finding("unused_parameter", "warning", message, parameters.index)
