"""The proof accepts what the product makes, and every tampering is found."""

import copy
from typing import Any

import pytest

from runner.parameters.inject import inject, injected_source
from runner.parameters.verify import verify_document
from tests.gallery.notebooks import code
from tests.runner.parameters.cases import NOTEBOOK, SCHEMA

VALUES = {
    "name": 'q"\\ é😀 $(id)',
    "days": 5,
    "since": "2026-02-28",
    "limit": None,
    "extra": {"a": 1.0},
}


def executed() -> dict[str, Any]:
    """A run's notebook: injected, with outputs and times."""
    notebook = inject(NOTEBOOK, injected_source(SCHEMA, VALUES, language="python"))
    for number, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "5"}]
            cell["execution_count"] = number
            cell["metadata"]["execution"] = {
                "iopub.status.busy": "2026-01-01T00:00:00Z"
            }
    notebook["metadata"]["language_info"] |= {
        "version": "3.12.1",
        "codemirror_mode": {"name": "ipython"},
    }
    return notebook


def problems(notebook: dict[str, Any], values: dict[str, Any] = VALUES) -> list[str]:
    return verify_document(
        approved=NOTEBOOK, executed=notebook, schema=SCHEMA, values=values
    )


def test_a_clean_run_is_proven():
    assert problems(executed()) == []


def test_a_run_read_from_a_file_is_proven():
    notebook = executed()
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
    assert problems(notebook) == []


def test_a_run_without_parameters_is_proven():
    assert problems(copy.deepcopy(NOTEBOOK), {}) == []


def _set(path: list[Any], value: Any) -> dict[str, Any]:
    notebook = executed()
    target: Any = notebook
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return notebook


def _injected(change: Any) -> dict[str, Any]:
    notebook = executed()
    notebook["cells"][2]["source"] = change(notebook["cells"][2]["source"])
    return notebook


def _cells(change: Any) -> dict[str, Any]:
    notebook = executed()
    change(notebook["cells"])
    return notebook


SECOND = code("days = 9", tags=["injected-parameters"], cell_id="second")
TAMPERED = {
    "edited code": _set(["cells", 3, "source"], "print(days + 1)"),
    "edited text": _set(["cells", 0, "source"], "# Other"),
    "edited default": _set(["cells", 1, "source"], "days = 1"),
    "an extra cell": _cells(lambda cells: cells.append(code("1", cell_id="extra"))),
    "a missing cell": _cells(lambda cells: cells.pop()),
    "reordered cells": _cells(lambda cells: cells.insert(0, cells.pop())),
    "a second injected cell": _cells(lambda cells: cells.insert(3, SECOND)),
    "no injected cell": _cells(lambda cells: cells.pop(2)),
    "an injected cell elsewhere": _cells(lambda cells: cells.append(cells.pop(2))),
    "an injected cell of text": _set(["cells", 2, "cell_type"], "markdown"),
    "an extra statement": _injected(lambda source: source + "import os\n"),
    "an expression": _injected(
        lambda source: source.replace("days = 5", "days = 4 + 1")
    ),
    "a changed value": _injected(lambda source: source.replace("days = 5", "days = 6")),
    "a changed type": _injected(
        lambda source: source.replace("days = 5", "days = 5.0")
    ),
    "true for one": _injected(lambda source: source.replace("1.0", "True")),
    "a changed date": _injected(lambda source: source.replace("02-28", "02-27")),
    "a missing value": _injected(lambda source: source.replace("days = 5\n", "")),
    "another name": _injected(lambda source: source.replace("days = 5", "title = ''")),
    "an unknown name": _injected(
        lambda source: source.replace("days = 5", "print = 5")
    ),
    "another call": _injected(lambda source: source.replace("datetime", "os")),
    "a tag added": _set(["cells", 3, "metadata", "tags"], ["skip-execution"]),
    "a tag removed": _set(["cells", 1, "metadata", "tags"], []),
    "another id": _set(["cells", 3, "id"], "other"),
    "another kernel": _set(["metadata", "kernelspec", "name"], "bash"),
    "another format": _set(["nbformat_minor"], 4),
    "other titles": _set(["metadata", "parameterise"], {"days": {"display_name": "x"}}),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_tampering_is_found(name):
    assert problems(TAMPERED[name])


@pytest.mark.parametrize(
    "values", [{}, VALUES | {"days": 6}, VALUES | {"days": 5.0}, VALUES | {"dose": 1.5}]
)
def test_other_recorded_parameters_are_found(values):
    assert problems(executed(), values)


def test_a_cell_injected_before_approval_is_replaced_and_proven():
    approved = copy.deepcopy(NOTEBOOK)
    approved["cells"].insert(
        2, code("days = 9", tags=["injected-parameters"], cell_id="old")
    )
    run = inject(approved, injected_source(SCHEMA, VALUES, language="python"))
    assert (
        verify_document(approved=approved, executed=run, schema=SCHEMA, values=VALUES)
        == []
    )
