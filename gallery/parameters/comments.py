"""What comments beside an assignment say: its type, its help, its choices. Read by ``tokenize``, not by a pattern."""

import ast
import io
import re
import tokenize
from dataclasses import dataclass
from typing import Any

_TYPE = re.compile(r"type:\s*", re.IGNORECASE)
_CHOICES = re.compile(
    r"(?:choices|options|one of|allowed):\s*(?P<list>.+)$", re.IGNORECASE
)
_HEADINGS = {"parameters", "params", "parameter", "papermill parameters"}
_MAX_HELP = 500


@dataclass(frozen=True)
class Comment:
    """A comment taken apart: the type it names, its choices, and the help that is left."""

    type_text: str = ""
    choices: tuple[Any, ...] = ()
    help: str = ""


def comments_by_line(source: str) -> dict[int, tuple[str, bool]]:
    """Return for each line (from 1) with a comment its text without ``#``, and whether the line holds nothing else."""
    lines = source.splitlines()
    found: dict[int, tuple[str, bool]] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                alone = not lines[row - 1][:column].strip()
                found[row] = (token.string.lstrip("#").strip(), alone)
    except (tokenize.TokenError, SyntaxError, IndexError):
        return found
    return found


def comment_of(node: ast.stmt, comments: dict[int, tuple[str, bool]]) -> Comment:
    """Return the comment at the end of ``node``'s last line, else the block of comment lines right above it."""
    trailing = comments.get(node.end_lineno or node.lineno)
    if trailing and not trailing[1]:
        return read_comment(trailing[0])
    block: list[str] = []
    line = node.lineno - 1
    while line in comments and comments[line][1]:
        block.insert(0, comments[line][0])
        line -= 1
    if block and block[0].lower().strip(" :.-=") in _HEADINGS:
        block = block[1:]
    return read_comment(" ".join(part for part in block if part))


def read_comment(text: str) -> Comment:
    """Take one comment apart: ``type: list[str] which wards; choices: a, b``."""
    type_text = ""
    match = _TYPE.match(text)
    if match:
        type_text, text = _leading_type(text[match.end() :])
    choices: tuple[Any, ...] = ()
    match = _CHOICES.search(text)
    if match:
        choices = _choices(match["list"])
        text = text[: match.start()].rstrip(" ;,.(")
    return Comment(type_text=type_text, choices=choices, help=text.strip()[:_MAX_HELP])


def _leading_type(text: str) -> tuple[str, str]:
    """Split after the type, whose brackets may hold spaces: ``Dict[str, int] mapping``."""
    depth = 0
    for position, character in enumerate(text):
        depth += character == "["
        depth -= character == "]"
        if character.isspace() and depth <= 0:
            return text[:position], text[position:].strip()
    return text, ""


def _choices(text: str) -> tuple[Any, ...]:
    """A Python list, or words with commas between them."""
    text = text.strip()
    if text[:1] in "[(":
        try:
            value = ast.literal_eval(text.rstrip(". ;"))
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return ()
        plain = isinstance(value, list | tuple) and all(
            type(item) in (str, int, float, bool) for item in value
        )
        return tuple(value) if plain else ()
    return tuple(
        part.strip(" '\"")
        for part in text.rstrip(". )").split(",")
        if part.strip(" '\"")
    )
