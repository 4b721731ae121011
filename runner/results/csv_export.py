"""Tables as CSV that a spreadsheet reads as data, never as formulas."""

import csv
import io
import re

from runner.results.tables import Table

#: OWASP's list: what makes a spreadsheet evaluate a cell, full-width forms included.
_TRIGGERS = tuple("=+-@\t\r\n＝＋－＠")
_NUMBER = re.compile(
    r"[+-]?(?:\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?\s?%?",
    re.ASCII,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def csv_bytes(table: Table) -> bytes:
    """Return the table as CSV (RFC 4180, UTF-8 with the mark that Excel needs)."""
    target = io.StringIO()
    writer = csv.writer(target, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    if table.header:
        writer.writerow(neutral(text) for text in table.header)
    writer.writerows([neutral(text) for text in row] for row in table.rows)
    return target.getvalue().encode("utf-8-sig", "replace")


def neutral(text: str) -> str:
    """Return `text` so that it is only text; numbers, negative ones too, stay numbers."""
    clean = _CONTROL.sub("", text)
    if is_number(clean):
        return clean
    if clean.lstrip(" \u00a0").startswith(_TRIGGERS) or clean.startswith(_TRIGGERS):
        return "'" + clean
    return clean


def is_number(text: str) -> bool:
    """Is the whole of `text` one plain number, maybe with sign, exponent or percent?"""
    return bool(_NUMBER.fullmatch(text))
