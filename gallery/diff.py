"""How two versions of a notebook differ, cell by cell and line by line."""

import difflib
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from gallery.characters import shown
from gallery.matching import match_cells, unmoved

# Above this many line pairs a line diff takes too long to wait for; such a cell is shown as replaced.
_MAX_LINE_PAIRS = 4_000_000

Line = tuple[str, str]


@dataclass(frozen=True)
class CellDiff:
    """One cell's difference.

    ``kind`` is ``same``, ``changed``, ``added``, ``removed`` or ``moved`` (then perhaps changed too);
    indexes are from 0 and None where the cell is not there; ``lines`` are pairs of ``+``, ``-`` or a space and
    plain text in which invisible characters are written out. A cell that is the same has no lines.
    """

    kind: str
    old_index: int | None
    new_index: int | None
    cell_type: str
    lines: list[Line]


def diff_notebooks(old: dict[str, Any], new: dict[str, Any]) -> list[CellDiff]:
    """Return every cell of ``new`` in order, with the cells removed from ``old`` where they were."""
    before, after = old["cells"], new["cells"]
    pairs = match_cells(before, after)
    steady = unmoved(pairs)
    found = []
    for index, cell in enumerate(after):
        found.append(
            ((index, 0, 0), _cell_diff(before, index, cell, pairs.get(index), steady))
        )
    anchors = {pairs[index]: index for index in steady}
    for old_index, cell in enumerate(before):
        if old_index not in pairs.values():
            anchor = max((i for i in anchors if i < old_index), default=None)
            place = -1 if anchor is None else anchors[anchor]
            lines = [("-", text) for text in _lines(cell)]
            found.append(
                (
                    (place, 1, old_index),
                    CellDiff("removed", old_index, None, cell["cell_type"], lines),
                )
            )
    return [each for _, each in sorted(found, key=lambda pair: pair[0])]


def _cell_diff(
    before: list[dict[str, Any]],
    index: int,
    cell: dict[str, Any],
    old_index: int | None,
    steady: set[int],
) -> CellDiff:
    if old_index is None:
        return CellDiff(
            "added",
            None,
            index,
            cell["cell_type"],
            [("+", text) for text in _lines(cell)],
        )
    lines = _line_diff(_lines(before[old_index]), _lines(cell))
    changed = any(mark != " " for mark, _ in lines)
    if index not in steady:
        return CellDiff("moved", old_index, index, cell["cell_type"], lines)
    return CellDiff(
        "changed" if changed else "same",
        old_index,
        index,
        cell["cell_type"],
        lines if changed else [],
    )


def _lines(cell: dict[str, Any]) -> list[str]:
    """What of a cell counts, as lines: its source, then what is not source, marked as such."""
    return [shown(line) for line in cell["source"].split("\n")] + _about(cell)


def _about(cell: dict[str, Any]) -> list[str]:
    lines = []
    for key, value in sorted(cell.get("metadata", {}).items()):
        lines.append(
            shown(f"⟨{key}⟩ {json.dumps(value, sort_keys=True, ensure_ascii=False)}")
        )
    for name, bundle in sorted(cell.get("attachments", {}).items()):
        digest = hashlib.sha256(
            json.dumps(bundle, sort_keys=True).encode()
        ).hexdigest()[:12]
        lines.append(shown(f"⟨attachment⟩ {name} {digest}"))
    return lines


def _line_diff(old: list[str], new: list[str]) -> list[Line]:
    if old == new:
        return [(" ", text) for text in new]
    if len(old) * len(new) > _MAX_LINE_PAIRS:
        return [("-", text) for text in old] + [("+", text) for text in new]
    lines: list[Line] = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        if tag == "equal":
            lines += [(" ", text) for text in new[j1:j2]]
        else:
            lines += [("-", text) for text in old[i1:i2]] + [
                ("+", text) for text in new[j1:j2]
            ]
    return lines
