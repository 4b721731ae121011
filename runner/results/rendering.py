"""An executed notebook as harmless HTML: outputs and words, no code.

Every output is reduced to one harmless form first (`outputs`), nbconvert lays the
whole out with our template, and the sanitiser goes over everything that came out
(`sanitising.clean_document`).  `document.compose` makes a page of it.
"""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from html import escape, unescape
from itertools import chain
from typing import Any

from nbformat import NotebookNode, from_dict

from gallery.layouts import Layout, read_layout
from runner.kernelhost.cells import is_for_pages
from runner.results.arrangement import Standing, arranged
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
FOR_PAGES = "A part for live pages was left out."


@dataclass(frozen=True)
class Rendered:
    """Harmless HTML of a result (UTF-8), and what was left out, in sentences."""

    html: bytes
    notes: list[str]
    #: How many pictures of their own it has.
    figures: int = 0
    #: Nothing was shown; the HTML says so.
    is_empty: bool = False


@dataclass(frozen=True)
class _Cell:
    """What one cell shows; `index` is its place in the notebook."""

    index: int
    kind: str
    pieces: list[Shown]


def render(
    notebook: Mapping[str, Any],
    *,
    truncated: Sequence[Mapping[str, Any]] = (),
    figures_before: int = 0,
    is_live: bool = False,
) -> Rendered:
    """Render an executed notebook (nbformat 4, as a dict) for its reader.

    Code, the injected parameters, tracebacks and error messages are not part of it; of
    metadata, only the whole numbers of a picture's size and of the layout and the widgets' last state
    count.  Of a cell that the layout hides, only that it failed or was cut is told.  `truncated`
    says what the kernel host cut: `[{"cell": index, "message": sentence}]`.  Pictures
    are numbered after `figures_before`, for a notebook that is rendered in parts.  What is left
    out of runs without a live page is told unless `is_live`.
    """
    cells = list(notebook.get("cells", []))
    cuts = _cuts(truncated)
    layout, saved = read_layout(notebook), saved_widgets(notebook)
    found = _cells(cells, cuts, figures_before, saved, layout.hidden, is_live=is_live)
    shown_cells = [each for each in found if each.pieces]
    notes = _sentences(shown_cells)
    if any(cell.get("cell_type") == "raw" for cell in cells):
        notes.append(RAW)
    html, _ = exporter().from_notebook_node(_laid_out(shown_cells, layout))
    return Rendered(
        html=clean_document(html).encode(),
        notes=notes,
        figures=sum(piece.is_figure for each in shown_cells for piece in each.pieces),
        is_empty=not shown_cells,
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


def _cells(
    cells: list[Mapping[str, Any]],
    cuts: Mapping[int, list[Shown]],
    figures: int,
    saved: Mapping[str, Any],
    hidden: Container[int],
    *,
    is_live: bool,
) -> Iterator[_Cell]:
    """Yield each cell that may show something, with its harmless pieces."""
    page, resting = _Page(figures), Resting(saved)
    for index, cell in enumerate(cells):
        is_hidden = index in hidden
        if _is_injected(cell):
            continue
        if cell.get("cell_type") == "markdown" and not is_hidden:
            words = page.admitted(partial(_words, cell, page.pictures))
            yield _Cell(index, "markdown", words)
        elif cell.get("cell_type") == "code":
            pieces: list[Shown] = []
            outputs = cell.get("outputs") or []
            for output in chain.from_iterable(map(resting.of, outputs)):
                if is_hidden and output.get("output_type") != "error":
                    continue
                pieces += page.admitted(partial(page.outputs, output))
                if page.is_full:
                    break
            is_left_out = not is_live and is_for_pages(cell)
            if is_left_out and not is_hidden and cell.get("execution_count") is None:
                pieces.append(Shown("note", FOR_PAGES))
            yield _Cell(index, "code", _merged(pieces + cuts.get(index, [])))


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


def _sentences(cells: list[_Cell]) -> list[str]:
    found = [
        unescape(piece.html)
        for cell in cells
        for piece in cell.pieces
        if piece.kind in {"note", "cut"}
    ]
    return list(dict.fromkeys(found))


def _laid_out(found: list[_Cell], layout: Layout) -> NotebookNode:
    """Return a notebook that holds nothing but harmless pieces, for the template."""
    by_index = {each.index: each for each in found}
    cells = [
        _stood(by_index[place.cell], place) for place in arranged(layout, by_index)
    ]
    if not cells:
        nothing = _Cell(0, "code", [Shown("note", EMPTY)])
        cells = [_stood(nothing, Standing(0))]
    made: NotebookNode = from_dict(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    )
    return made


def _stood(shown_cell: _Cell, place: Standing) -> dict[str, Any]:
    """Return a cell of the template's: its pieces, and the classes that put it in its place."""
    cell: dict[str, Any] = {
        "id": f"cell-{place.cell}",
        "cell_type": shown_cell.kind,
        "metadata": asdict(place),
        "source": "",
    }
    pieces = shown_cell.pieces
    if shown_cell.kind == "markdown":
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
