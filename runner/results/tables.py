"""The tables of an executed notebook as plain rows, for export."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from bs4 import BeautifulSoup, Tag

from runner.results.nesting import is_tangled
from runner.results.widgets import Resting, saved_widgets

MAX_CELLS = 500_000
_MAX_SPAN = 1_000


@dataclass(frozen=True)
class Table:
    """One table that a notebook showed."""

    caption: str
    header: list[str]
    rows: list[list[str]] = field(repr=False)
    #: The notebook showed only the first and last rows or columns (pandas does).
    shortened: bool = False


def tables(notebook: Mapping[str, Any]) -> list[Table]:
    """Return every table among the HTML outputs, in the order of the page."""
    found: list[Table] = []
    for html in _html_outputs(notebook):
        if "<table" not in html.lower() or is_tangled(html):
            continue
        for element in BeautifulSoup(html, "html.parser").find_all("table"):
            if isinstance(element, Tag) and element.find_parent("table") is None:
                found.append(_table(element, number=len(found) + 1))
    return found


def _html_outputs(notebook: Mapping[str, Any]) -> Iterator[str]:
    resting = Resting(saved_widgets(notebook))
    for cell in notebook.get("cells", []):
        for output in chain.from_iterable(map(resting.of, cell.get("outputs") or [])):
            html = (output.get("data") or {}).get("text/html")
            if html:
                yield "".join(html) if isinstance(html, list) else str(html)


def _table(element: Tag, *, number: int) -> Table:
    caption = element.find("caption")
    rows = [
        row for row in element.find_all("tr") if row.find_parent("table") is element
    ]
    grid = _grid(rows)
    header_rows = _header_rows(rows)
    return Table(
        caption=_text(caption) if caption else f"Table {number}",
        header=_joined_header(grid[:header_rows]),
        rows=grid[header_rows:],
        shortened=any(row and set(row) == {"..."} for row in grid[header_rows:])
        or any("..." in row for row in grid[:header_rows]),
    )


def _header_rows(rows: list[Tag]) -> int:
    """Count the leading rows that are the header: in `<thead>`, or all `<th>`."""
    count = 0
    for row in rows:
        in_head = row.find_parent("thead") is not None
        if not in_head and (count or row.find("td") is not None):
            break
        count += 1
    return count if count < len(rows) or count == 1 else 0


def _grid(rows: list[Tag]) -> list[list[str]]:
    """Lay cells out by their spans; a spanned cell's text stands in each place."""
    grid: list[list[str]] = []
    reaching: dict[int, tuple[int, str]] = {}  # column: rows still to fill, its text
    left = MAX_CELLS
    for row in rows:
        line: list[str] = []
        for cell in row.find_all(["td", "th"], recursive=False):
            _fill(line, reaching)
            text = _text(cell)
            width = _span(cell, "colspan")
            height = _span(cell, "rowspan")
            for _ in range(width):
                if height > 1:
                    reaching[len(line)] = (height, text)
                line.append(text)
            left -= width
        _fill(line, reaching)
        if left < 0:
            break
        reaching = {at: (n - 1, text) for at, (n, text) in reaching.items() if n > 1}
        grid.append(line)
    return grid


def _fill(line: list[str], reaching: dict[int, tuple[int, str]]) -> None:
    while len(line) in reaching:
        line.append(reaching[len(line)][1])


def _joined_header(rows: list[list[str]]) -> list[str]:
    """Make one header of several rows: `amount / mean`, repetitions said once."""
    width = max((len(row) for row in rows), default=0)
    columns = [[row[at] for row in rows if at < len(row)] for at in range(width)]
    return [
        " / ".join(dict.fromkeys(text for text in column if text)) for column in columns
    ]


def _span(cell: Tag, name: str) -> int:
    value = str(cell.get(name, "1"))
    number = int(value) if value.isascii() and value.isdigit() and len(value) < 6 else 1
    return min(max(number, 1), _MAX_SPAN)


def _text(element: Tag) -> str:
    return " ".join(element.get_text(" ").split())
