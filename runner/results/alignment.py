"""Numbers to the right, words to the left, in the tables of cleaned HTML.

Works on what `sanitising.clean_output` returns: well-formed, lower case, quoted.
"""

import re

from runner.results.csv_export import is_number

_TABLE = re.compile(r"<table[^>]*>.*?</table>", re.DOTALL)
_HEAD = re.compile(r"<thead[^>]*>.*?</thead>", re.DOTALL)
_ROW = re.compile(r"<tr[^>]*>(.*?)</tr>", re.DOTALL)
_CELL = re.compile(r"<(t[hd])([^>]*)>(.*?)</\1>", re.DOTALL)
_STYLE = re.compile(r'(<tr) style="text-align:right"')
_MISSING = {"", "-", "–", "nan", "None", "NaN", "NaT", "&lt;NA&gt;", "..."}
_NUMBER_CLASS = ' class="cs-number"'


def align_numbers(html: str) -> str:
    """Return `html` with the numeric cells of its tables marked, headings too."""
    return _TABLE.sub(_align_table, html) if "<table" in html else html


def _align_table(match: re.Match[str]) -> str:
    table = _STYLE.sub(r"\1", match[0])
    if "<table" in table[1:]:
        return table
    head = _HEAD.search(table)
    body_at = head.end() if head else 0
    body = table[body_at:]
    if not head or "span=" in table:
        return table[:body_at] + _CELL.sub(_mark_if_number, body)
    numeric = _numeric_columns(body)
    return _mark_columns(table[:body_at], numeric) + _mark_columns(body, numeric)


def _mark_if_number(cell: re.Match[str]) -> str:
    return _marked(cell) if cell[1] == "td" and is_number(cell[3].strip()) else cell[0]


def _marked(cell: re.Match[str]) -> str:
    if "class=" in cell[2]:
        return cell[0]
    return f"<{cell[1]}{_NUMBER_CLASS}{cell[2]}>{cell[3]}</{cell[1]}>"


def _numeric_columns(body: str) -> set[int]:
    """Columns whose every value is a number or missing, with one number at least."""
    words: set[int] = set()
    numbers: set[int] = set()
    for row in _ROW.finditer(body):
        for at, cell in enumerate(_CELL.finditer(row[1])):
            text = cell[3].strip()
            if text not in _MISSING:
                (numbers if is_number(text) and cell[1] == "td" else words).add(at)
    return numbers - words


def _mark_columns(part: str, numeric: set[int]) -> str:
    def row(match: re.Match[str]) -> str:
        cells = _CELL.finditer(match[0])
        marked = [
            _marked(cell) if at in numeric else cell[0] for at, cell in enumerate(cells)
        ]
        return f"<tr>{''.join(marked)}</tr>"

    return _ROW.sub(row, part)
