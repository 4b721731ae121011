"""From notebook format 3 (IPython 2, before 2015) to format 4.

Own code and not nbformat's upgrade, because that invents random cell ids: two uploads of the same
bytes would have two digests. Outputs are not carried over; they would be removed next anyway, but their
presence is, so that the notes can count them.
"""

from typing import Any

_MARKDOWN = {"markdown", "html", "heading"}


def to_format_4(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return ``notebook`` (format 3, schema-valid) as format 4, its worksheets one after the other."""
    cells = [
        _cell(cell)
        for sheet in notebook.get("worksheets", [])
        for cell in sheet.get("cells", [])
    ]
    metadata = {
        key: value
        for key, value in notebook.get("metadata", {}).items()
        if key != "name"
    }
    languages = {
        cell["language"].lower()
        for cell in _code_cells(notebook)
        if isinstance(cell.get("language"), str)
    }
    if "language_info" not in metadata and len(languages) == 1:
        metadata["language_info"] = {"name": languages.pop()}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}


def _code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    sheets = notebook.get("worksheets", [])
    return [
        cell
        for sheet in sheets
        for cell in sheet.get("cells", [])
        if cell.get("cell_type") == "code"
    ]


def _cell(cell: dict[str, Any]) -> dict[str, Any]:
    metadata = dict(cell.get("metadata") or {})
    kind = cell["cell_type"]
    if kind == "code":
        return {
            "cell_type": "code",
            "metadata": metadata
            | ({"collapsed": True} if cell.get("collapsed") else {}),
            "source": cell.get("input", ""),
            "outputs": [{"output_type": "stream", "name": "stdout", "text": ""}]
            if cell.get("outputs")
            else [],
            "execution_count": cell.get("prompt_number"),
        }
    source = cell.get("source", "")
    if kind == "heading":
        text = "".join(source) if isinstance(source, list) else source
        source = f"{'#' * cell.get('level', 1)} {' '.join(text.splitlines())}"
    return {
        "cell_type": "markdown" if kind in _MARKDOWN else "raw",
        "metadata": metadata,
        "source": source,
    }
