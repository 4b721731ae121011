"""An executed notebook as harmless HTML: outputs and words, no code.

Every output is reduced to one harmless form first (`outputs`), nbconvert lays the
whole out with our template, and the sanitiser goes over everything that came out
(`sanitising.clean_document`).  `document.compose` makes a page of it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape, unescape
from itertools import chain
from typing import Any

from nbformat import NotebookNode, from_dict

from runner.results.exporter import exporter
from runner.results.images import PictureBudget
from runner.results.outputs import TOO_LONG, Shown, shown, words
from runner.results.sanitising import clean_document
from runner.results.widgets import Resting, saved_widgets

#: A page that still opens, in UTF-8; what is beyond is in the downloads.
MAX_PAGE_BYTES = 24_000_000
INJECTED_TAG = "injected-parameters"
EMPTY = "This notebook showed nothing."
RAW = "A raw cell is left out."


@dataclass(frozen=True)
class Rendered:
    """Harmless HTML of a result (UTF-8), and what was left out, in sentences."""

    html: bytes
    notes: list[str]
    #: How many pictures of their own it has.
    figures: int = 0
    #: Nothing was shown; the HTML says so.
    is_empty: bool = False


def render(
    notebook: Mapping[str, Any],
    *,
    truncated: Sequence[Mapping[str, Any]] = (),
    figures_before: int = 0,
) -> Rendered:
    """Render an executed notebook (nbformat 4, as a dict) for its reader.

    Code, the injected parameters, tracebacks and error messages are not part of it; of
    metadata, only the whole numbers of a picture's size and the widgets' last state count.  `truncated`
    says what the kernel host cut: `[{"cell": index, "message": sentence}]`.  Pictures
    are numbered after `figures_before`, for a notebook that is rendered in parts.
    """
    cells = list(notebook.get("cells", []))
    cuts = _cuts(truncated)
    saved = saved_widgets(notebook)
    pieces = list(_pieces(cells, cuts, figures_before, saved))
    notes = _sentences(pieces)
    if any(cell.get("cell_type") == "raw" for cell in cells):
        notes.append(RAW)
    html, _ = exporter().from_notebook_node(_laid_out(pieces))
    return Rendered(
        html=clean_document(html).encode(),
        notes=notes,
        figures=sum(piece.is_figure for _, group in pieces for piece in group),
        is_empty=not any(group for _, group in pieces),
    )


def _cuts(truncated: Sequence[Mapping[str, Any]]) -> dict[int, list[Shown]]:
    cuts: dict[int, list[Shown]] = {}
    for cut in truncated:
        sentence = Shown("cut", escape(str(cut.get("message", ""))))
        cuts.setdefault(int(cut.get("cell") or 0), []).append(sentence)
    return cuts


def _is_injected(cell: Mapping[str, Any]) -> bool:
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, Mapping) else None
    return isinstance(tags, list) and INJECTED_TAG in tags


def _pieces(
    cells: list[Mapping[str, Any]],
    cuts: Mapping[int, list[Shown]],
    figures: int,
    saved: Mapping[str, Any],
) -> Iterator[tuple[str, list[Shown]]]:
    """Yield each cell that shows something, as its type and its harmless pieces."""
    page, resting = _Page(figures), Resting(saved)
    for index, cell in enumerate(cells):
        if _is_injected(cell):
            continue
        if cell.get("cell_type") == "markdown":
            yield "markdown", page.admitted(partial(_words, cell, page.pictures))
        elif cell.get("cell_type") == "code":
            pieces: list[Shown] = []
            outputs = cell.get("outputs") or []
            for output in chain.from_iterable(map(resting.of, outputs)):
                pieces += page.admitted(partial(page.outputs, output))
                if page.is_full:
                    break
            yield "code", _merged(pieces + cuts.get(index, []))


class _Page:
    """What the page holds so far; once it is full, nothing more is even looked at."""

    def __init__(self, figures: int) -> None:
        self.pictures = PictureBudget()
        self.figures = figures
        self.size_bytes = 0

    @property
    def is_full(self) -> bool:
        return self.size_bytes > MAX_PAGE_BYTES

    def outputs(self, output: Mapping[str, Any]) -> list[Shown]:
        found = list(shown(output, number=self.figures + 1, budget=self.pictures))
        self.figures += sum(piece.is_figure for piece in found)
        return found

    def admitted(self, make: Callable[[], list[Shown]]) -> list[Shown]:
        """Return the pieces that `make` makes, or the sentence that they are too long."""
        found = [] if self.is_full else make()
        self.size_bytes += sum(len(piece.html.encode()) for piece in found)
        return [Shown("note", TOO_LONG)] if self.is_full else found


def _words(cell: Mapping[str, Any], pictures: PictureBudget) -> list[Shown]:
    source = cell.get("source", "")
    text = "".join(source) if isinstance(source, list) else str(source)
    return [words(text, pictures, cell.get("attachments"))]


def _merged(pieces: list[Shown]) -> list[Shown]:
    """Join neighbours of one kind of text, and say the same sentence only once."""
    merged: list[Shown] = []
    for piece in pieces:
        last = merged[-1] if merged else None
        if last and last.kind == piece.kind and piece.kind in {"text", "messages"}:
            merged[-1] = Shown(piece.kind, last.html + piece.html)
        elif piece.kind not in {"note", "cut", "error"} or piece not in merged:
            merged.append(piece)
    return merged


def _sentences(pieces: list[tuple[str, list[Shown]]]) -> list[str]:
    found = [
        unescape(piece.html)
        for _, group in pieces
        for piece in group
        if piece.kind in {"note", "cut"}
    ]
    return list(dict.fromkeys(found))


def _laid_out(pieces: list[tuple[str, list[Shown]]]) -> NotebookNode:
    """Return a notebook that holds nothing but harmless pieces, for the template."""
    shown_cells = [each for each in pieces if each[1]]
    if not shown_cells:
        shown_cells = [("code", [Shown("note", EMPTY)])]
    cells = [
        {"id": f"cell-{number}", **_cell(kind, group)}
        for number, (kind, group) in enumerate(shown_cells)
    ]
    found: NotebookNode = from_dict(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    )
    return found


def _cell(kind: str, pieces: list[Shown]) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": ""}
    if kind == "markdown":
        return {**cell, "source": pieces[0].html}
    outputs = [
        {
            "output_type": "display_data",
            "metadata": {},
            "data": {piece.kind: piece.html},
        }
        for piece in pieces
    ]
    return {**cell, "execution_count": None, "outputs": outputs}
