"""Checks for characters that make a reviewer read something else than what runs."""

import io
import tokenize
from collections.abc import Iterator

from gallery.characters import IN_TEXT, describe, invisible_in, is_bidi, lookalike
from gallery.findings.cells import CheckedCell, CheckedNotebook
from gallery.findings.model import Finding, Severity
from gallery.python_source import HIDDEN_LINE_ENDS


def check_characters(notebook: CheckedNotebook) -> Iterator[Finding]:
    """Yield lines with characters that cannot be seen or that look like others."""
    for cell in notebook.cells:
        for number, line in enumerate(cell.source.split("\n"), start=1):
            yield from _check_line(cell, number, line)
        if cell.python is not None:
            yield from _check_names(cell)


def _check_line(cell: CheckedCell, number: int, line: str) -> Iterator[Finding]:
    found = invisible_in(line)
    if cell.cell_type != "code":
        found = [character for character in found if character not in IN_TEXT]
    if not found:
        return
    names = ", ".join(describe(character) for character in found[:5])
    severity: Severity = "warning"
    message = f"This line holds characters that cannot be seen: {names}."
    if any(is_bidi(character) for character in found):
        severity = "error"
        message = f"This line is not read in the order in which it is shown ({names})."
    elif cell.cell_type == "code" and any(
        character in HIDDEN_LINE_ENDS for character in found
    ):
        severity = "error"
        message = f"This line holds a line end that screens do not show ({names}); what follows it may be run as a line."
    yield Finding("invisible_characters", severity, message, cell.index, number)


def _check_names(cell: CheckedCell) -> Iterator[Finding]:
    if cell.source.isascii():
        return
    seen: set[str] = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(cell.source).readline):
            reason = lookalike(token.string) if token.type == tokenize.NAME else ""
            if reason and token.string not in seen:
                seen.add(token.string)
                message = (
                    f"The name “{token.string}” can be taken for another one: {reason}."
                )
                yield Finding(
                    "lookalike_name", "error", message, cell.index, token.start[0]
                )
    except (tokenize.TokenError, SyntaxError):
        return
