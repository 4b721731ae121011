"""Which cells of a notebook are executed; pure, so that others count them the same way."""

from collections.abc import Mapping
from typing import Any

SKIP_TAG = "skip-execution"


def executes(cell: Mapping[str, Any]) -> bool:
    """Whether a cell is executed: code, not empty, and not tagged to be skipped."""
    tags = cell.get("metadata", {}).get("tags", [])
    return (
        cell["cell_type"] == "code"
        and bool(cell["source"].strip())
        and SKIP_TAG not in tags
    )
