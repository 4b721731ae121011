"""Which cells of a notebook are executed; pure, so that others count them the same way."""

from collections.abc import Mapping
from typing import Any

SKIP_TAG = "skip-execution"
#: What only the reader of a live page can be asked; without a page nobody would answer.
LIVE_TAG = "live-only"


def executes(cell: Mapping[str, Any], *, live: bool) -> bool:
    """Whether a cell is executed: code, not empty, and not tagged to be skipped, or not without a page."""
    tags = cell.get("metadata", {}).get("tags", [])
    return (
        cell["cell_type"] == "code"
        and bool(cell["source"].strip())
        and SKIP_TAG not in tags
        and (live or not is_for_pages(cell))
    )


def is_for_pages(cell: Mapping[str, Any]) -> bool:
    """Whether a cell is for live pages only."""
    tags = cell.get("metadata", {}).get("tags", [])
    return any(str(tag).lower() == LIVE_TAG for tag in tags)
