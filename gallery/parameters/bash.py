"""Parameters of bash notebooks: plain assignments of constant text, one a line."""

import re
import shlex

from gallery.parameters.assignments import Assignment
from gallery.parameters.comments import read_comment

_LINE = re.compile(
    r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>'[^']*'|\"[^\"$`\\!]*\"|[\w./:@%+,-]*)\s*(?:\s#(?P<comment>.*))?"
)


def read_bash_assignments(source: str) -> list[Assignment]:
    """Return the assignments whose value is the same whatever the shell expands; the rest stays the notebook's own."""
    found = []
    for line in source.splitlines():
        match = _LINE.fullmatch(line)
        if match:
            words = shlex.split(match["value"])
            comment = read_comment((match["comment"] or "").strip())
            value = _typed(words[0] if words else "", comment.type_text)
            found.append(
                Assignment(
                    match["name"], None, value, has_default=True, comment=comment
                )
            )
    return found


def _typed(text: str, type_text: str) -> str | int | float:
    """Shell variables are text; a ``# type: int`` comment asks for a number in the form."""
    try:
        if type_text == "int":
            return int(text)
        return float(text) if type_text == "float" else text
    except ValueError:
        return text
