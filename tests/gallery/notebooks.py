"""Small notebooks for tests, and ways to write them down as files."""

import json
from typing import Any


def code(
    source: str,
    *,
    tags: list[str] | None = None,
    cell_id: str | None = None,
    **metadata: Any,
) -> dict[str, Any]:
    """Return a code cell of format 4.5."""
    cell: dict[str, Any] = {
        "cell_type": "code",
        "metadata": ({"tags": tags} if tags else {}) | metadata,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }
    return cell | ({"id": cell_id} if cell_id else {})


def markdown(source: str, **extra: Any) -> dict[str, Any]:
    """Return a Markdown cell of format 4.5."""
    return {"cell_type": "markdown", "metadata": {}, "source": source} | extra


def notebook(
    *cells: dict[str, Any],
    kernel: str = "python3",
    language: str = "python",
    **metadata: Any,
) -> dict[str, Any]:
    """Return a notebook of format 4.5 whose cells have ids."""
    numbered = [{"id": f"cell-{index}"} | cell for index, cell in enumerate(cells)]
    spec = {"name": kernel, "display_name": kernel, "language": language}
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": spec, "language_info": {"name": language}}
        | metadata,
        "cells": numbered,
    }


def as_bytes(value: Any) -> bytes:
    """Return ``value`` as a file."""
    return json.dumps(value).encode()
