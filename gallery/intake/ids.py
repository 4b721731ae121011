"""Cell ids that are there, unique, and the same each time the same file is uploaded."""

import hashlib
import re
from typing import Any

from gallery.intake.notes import Notes

_USABLE = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def assign_ids(cells: list[dict[str, Any]], notes: Notes) -> list[dict[str, Any]]:
    """Return ``cells``, each with a valid id of its own.

    A usable id is kept by the first cell that has it; the others get one derived from their place and
    content, so that equal bytes give equal notebooks.
    """
    given = {cell["id"] for cell in cells if _is_usable(cell.get("id"))}
    taken: set[str] = set()
    result = []
    for index, cell in enumerate(cells):
        cell_id: Any = cell.get("id")
        if not _is_usable(cell_id) or cell_id in taken:
            cell_id = _derived(index, cell, given | taken)
            notes.add("ids")
        taken.add(cell_id)
        result.append(cell | {"id": cell_id})
    return result


def _is_usable(cell_id: Any) -> bool:
    return isinstance(cell_id, str) and _USABLE.fullmatch(cell_id) is not None


def _derived(index: int, cell: dict[str, Any], used: set[str]) -> str:
    source = cell.get("source", "")
    text = "".join(map(str, source)) if isinstance(source, list) else str(source)
    attempt = 0
    while True:
        seed = f"{index}\n{attempt}\n{cell.get('cell_type')}\n{text}"
        cell_id = hashlib.sha256(seed.encode()).hexdigest()[:12]
        if cell_id not in used:
            return cell_id
        attempt += 1
