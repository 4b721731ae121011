"""Proof, from the stored notebook alone, that nothing but the recorded parameters differs from what was approved.

It proves the document. That the kernel executed exactly these sources in this order is what the run's own
record says; the two together are the evidence.
"""

from typing import Any

from gallery.digest import approved_content
from gallery.parameters.names import (
    INJECTED_TAG,
    has_tag,
    language_of,
    parameters_cell_index,
)
from runner.parameters.inject import UnsafeValue, difference, read_injected


def verify_document(
    *,
    approved: dict[str, Any],
    executed: dict[str, Any],
    schema: dict[str, Any],
    values: dict[str, Any],
) -> list[str]:
    """Return what is wrong, in sentences; an empty list means proven.

    ``approved`` is the version's document, ``executed`` the run's notebook as stored, ``schema`` the approved
    parameters and ``values`` those recorded with the run.
    """
    expected, actual = _joined(approved), _joined(executed)
    problems = _injection_problems(expected, actual, schema, values)
    return problems + _content_problems(
        _without_injected(expected), _without_injected(actual)
    )


def _joined(notebook: dict[str, Any]) -> dict[str, Any]:
    """Sources as one string each: files hold them as lists of lines."""
    cells = []
    for cell in notebook.get("cells", []):
        source = cell.get("source", "")
        cells.append(
            {"id": None}
            | cell
            | {"source": "".join(source) if isinstance(source, list) else source}
        )
    return notebook | {"cells": cells}


def _without_injected(notebook: dict[str, Any]) -> dict[str, Any]:
    return notebook | {
        "cells": [cell for cell in notebook["cells"] if not has_tag(cell, INJECTED_TAG)]
    }


def _injection_problems(
    approved: dict[str, Any],
    executed: dict[str, Any],
    schema: dict[str, Any],
    values: dict[str, Any],
) -> list[str]:
    places = [
        index
        for index, cell in enumerate(executed["cells"])
        if has_tag(cell, INJECTED_TAG)
    ]
    if len(places) > 1:
        return [f"There are {len(places)} injected cells; there may be one."]
    if not places:
        return ["Parameters were recorded, but no cell sets them."] if values else []
    cell = executed["cells"][places[0]]
    if cell.get("cell_type") != "code":
        return ["The injected cell is not a code cell."]
    problems = (
        []
        if places[0] == _expected_place(approved)
        else ["The injected cell is not in its place."]
    )
    language = language_of(approved)
    try:
        found = read_injected(cell["source"], schema, language=language)
        problem = difference(found, values, schema, language=language)
    except UnsafeValue as error:
        problem = str(error)
    return [*problems, problem] if problem else problems


def _expected_place(approved: dict[str, Any]) -> int:
    earlier = [
        index
        for index, cell in enumerate(approved["cells"])
        if has_tag(cell, INJECTED_TAG)
    ]
    parameters = parameters_cell_index(_without_injected(approved))
    return parameters + 1 if parameters is not None else min(earlier, default=0)


def _content_problems(approved: dict[str, Any], executed: dict[str, Any]) -> list[str]:
    expected, actual = approved_content(approved), approved_content(executed)
    problems = [
        f"The notebook's {part} is not the approved one."
        for part in ("format", "kernel", "metadata")
        if expected[part] != actual[part]
    ]
    if len(expected["cells"]) != len(actual["cells"]):
        return [
            *problems,
            f"There are {len(actual['cells'])} cells; approved were {len(expected['cells'])}.",
        ]
    for number, (one, other) in enumerate(
        zip(expected["cells"], actual["cells"], strict=True), start=1
    ):
        parts = [part for part in one if one[part] != other[part]]
        if parts:
            problems.append(
                f"Cell {number} is not the approved one: its {' and its '.join(parts)} differs."
            )
    return problems
