"""Which cells of a notebook are executed; pure, so that others count them the same way."""

from collections.abc import Mapping
from typing import Any

SKIP_TAG = "skip-execution"
#: What only the reader of a live page can be asked; without a page nobody would answer.
LIVE_TAG = "live-only"


def executes(cell: Mapping[str, Any], *, live: bool) -> bool:
    """Whether a cell is executed: code, not empty, and not tagged to be skipped, or not without a page."""
    return (
        cell["cell_type"] == "code"
        and bool(cell["source"].strip())
        and not _has_tag(cell, SKIP_TAG)
        and (live or not is_for_pages(cell))
    )


def is_for_pages(cell: Mapping[str, Any]) -> bool:
    """Whether a cell is for live pages only."""
    return _has_tag(cell, LIVE_TAG)


def _has_tag(cell: Mapping[str, Any], tag: str) -> bool:
    """Whether a cell carries a tag, in any case of letters: as reviewers are told of it."""
    tags = cell.get("metadata", {}).get("tags", [])
    return any(str(each).lower() == tag for each in tags)
