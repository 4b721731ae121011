"""Which cell of an older notebook became which cell of a newer one."""

from bisect import bisect_left
from typing import Any

# Cells with less in common than this are two cells.
_SIMILAR = 0.5
# Comparing every cell with every other is for notebooks of ordinary size.
_MAX_COMPARISONS = 250_000


def match_cells(
    before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> dict[int, int]:
    """Return new index → old index: by equal id, then by equal content, then by likeness in order."""
    pairs: dict[int, int] = {}
    _match_equal(before, after, pairs, key=lambda cell: (cell["cell_type"], cell["id"]))
    _match_equal(
        before, after, pairs, key=lambda cell: (cell["cell_type"], cell["source"])
    )
    _match_similar(before, after, pairs)
    return pairs


def _match_equal(
    before: list[dict[str, Any]],
    after: list[dict[str, Any]],
    pairs: dict[int, int],
    key: Any,
) -> None:
    taken = set(pairs.values())
    waiting: dict[Any, list[int]] = {}
    for index, cell in enumerate(before):
        if index not in taken:
            waiting.setdefault(key(cell), []).append(index)
    for index, cell in enumerate(after):
        candidates = waiting.get(key(cell))
        if index not in pairs and candidates:
            pairs[index] = candidates.pop(0)


def _match_similar(
    before: list[dict[str, Any]], after: list[dict[str, Any]], pairs: dict[int, int]
) -> None:
    taken = set(pairs.values())
    old = [index for index in range(len(before)) if index not in taken]
    new = [index for index in range(len(after)) if index not in pairs]
    if len(old) * len(new) > _MAX_COMPARISONS:
        return
    words = {index: _words(before[index]["source"]) for index in old}
    for index in new:
        cell_words = _words(after[index]["source"])
        scored = [
            (_likeness(words[other], cell_words), -abs(other - index), other)
            for other in old
            if before[other]["cell_type"] == after[index]["cell_type"]
        ]
        score, _, best = max(scored, default=(0.0, 0, -1))
        if score >= _SIMILAR:
            pairs[index] = best
            old.remove(best)


def _words(source: str) -> set[str]:
    return set(source.split()[:2_000])


def _likeness(one: set[str], other: set[str]) -> float:
    """The share of words in common, from 0 to 1."""
    return len(one & other) / len(one | other) if one | other else 0.0


def unmoved(pairs: dict[int, int]) -> set[int]:
    """Return the new indexes that kept their order: the longest run of pairs that rises on both sides."""
    tails: list[int] = []
    ends: list[int] = []
    previous: dict[int, int | None] = {}
    for index in sorted(pairs):
        place = bisect_left(tails, pairs[index])
        previous[index] = ends[place - 1] if place else None
        if place == len(tails):
            tails.append(pairs[index])
            ends.append(index)
        else:
            tails[place], ends[place] = pairs[index], index
    steady: set[int] = set()
    current: int | None = ends[-1] if ends else None
    while current is not None:
        steady.add(current)
        current = previous[current]
    return steady
