"""Notebook cells as Python: what IPython would make of them before Python reads them.

IPython's own transformer is not needed in the web process. What matters here is to find its magics
and shell escapes, and to read the rest with ``ast``.
"""

import ast
import re
from dataclasses import dataclass, field

# IPython splits cells with str.splitlines, so these end a line for it, though neither for Python nor on screen.
HIDDEN_LINE_ENDS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"

_ESCAPE = re.compile(r"^(?P<indent>\s*)(?P<mark>%%|%|!!|!|\?\?|\?|;|,|/)(?P<rest>.*)$")
_ASSIGNED = re.compile(
    r"^(?P<indent>\s*)[\w.,\s\[\]\"'()*]+=\s*(?P<mark>[%!])(?P<rest>.*)$"
)
_HELP = re.compile(r"^(?P<indent>\s*)[\w.*%]+\?{1,2}\s*$")


@dataclass(frozen=True)
class Magic:
    """A line that IPython and not Python reads: ``mark`` is ``%``, ``%%``, ``!`` or ``?``; ``line`` is from 1."""

    line: int
    mark: str
    text: str

    @property
    def name(self) -> str:
        """The magic's name, or the shell command's first word."""
        return self.text.split(maxsplit=1)[0] if self.text.split() else ""


@dataclass(frozen=True)
class PythonCell:
    """A code cell taken apart: its tree (None when it is no Python), its magics, its cell magic's body."""

    tree: ast.Module | None
    magics: list[Magic] = field(default_factory=list)
    cell_magic: Magic | None = None
    body: str = ""
    error: SyntaxError | None = None


def read_python(source: str) -> PythonCell:
    """Take ``source`` apart. Never raises; a cell that cannot be parsed has ``error``."""
    lines = source.splitlines()
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is not None and lines[first].lstrip().startswith("%%"):
        magic = Magic(line=first + 1, mark="%%", text=lines[first].lstrip()[2:].strip())
        return PythonCell(
            tree=None, cell_magic=magic, body="\n".join(lines[first + 1 :])
        )
    tree, error = _parse("\n".join(lines))
    if tree is not None:
        return PythonCell(tree=tree)
    plain, magics = _blank_magics(lines)
    if magics:
        tree, error = _parse(plain)
    return PythonCell(tree=tree, magics=magics, error=error)


def _parse(source: str) -> tuple[ast.Module | None, SyntaxError | None]:
    try:
        return ast.parse(source), None
    except SyntaxError as error:
        return None, error
    except (ValueError, RecursionError, MemoryError) as error:
        return None, SyntaxError(
            f"Python cannot read this cell ({type(error).__name__})"
        )


def _blank_magics(lines: list[str]) -> tuple[str, list[Magic]]:
    """Return the cell with each magic line replaced by ``pass``, so that line numbers stay, and the magics.

    Line by line, so a line of a long string can be taken for a magic; that errs on the side of a finding.
    """
    magics: list[Magic] = []
    plain: list[str] = []
    for number, line in enumerate(lines, start=1):
        found = _ESCAPE.match(line) or _ASSIGNED.match(line)
        help_line = None if found else _HELP.match(line)
        if found:
            magics.append(
                Magic(line=number, mark=found["mark"], text=found["rest"].strip())
            )
            plain.append(f"{found['indent']}pass")
        elif help_line:
            magics.append(Magic(line=number, mark="?", text=line.strip()))
            plain.append(f"{help_line['indent']}pass")
        else:
            plain.append(line)
    return "\n".join(plain), magics
