"""Values written as code, and code read back as values. Closed: there is no way to write anything else.

Python gets its own literals, in ASCII. Dates of the approved kinds become
``__import__("datetime").date.fromisoformat("2026-01-31")``, which needs no import in the notebook.
Bash gets quotes in which nothing is expanded; every byte that is not plain is written as ``\\xHH``, because
the shell reads its input from a terminal, where a tab or Ctrl-C would be a command.
"""

import ast
import json
import math
import re
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from gallery.parameters.formats import read_date, read_datetime, read_time

_READERS: dict[str, Callable[[str], date | datetime | time]] = {
    "date": read_date,
    "datetime": read_datetime,
    "time": read_time,
}
_BOUND = re.compile(
    r'__import__\("datetime"\)\.(date|datetime|time)\.fromisoformat\("([0-9T:.+-]+)"\)'
)
_PLAIN_BASH = re.compile(r"[ -~]*")
_NOT_PLAIN = set("'\\!")
_BASH = re.compile(r"(?P<quote>\$?)'(?P<text>[^'\n]*)'", re.ASCII)


class UnsafeValue(ValueError):
    """A name or value that cannot be written as code exactly."""


class UnsupportedLanguage(ValueError):
    """A language whose literals are not written here; ``language`` names it."""

    def __init__(self, language: str) -> None:
        super().__init__(f"Parameters cannot be given to {language} notebooks yet.")
        self.language = language


def python_literal(value: Any, bind: str | None) -> str:
    """Return Python source whose value is ``value``, or the date that it names when ``bind`` says so.

    Raises UnsafeValue.
    """
    if bind is not None and isinstance(value, str):
        return f'__import__("datetime").{bind}.fromisoformat("{_iso(value, bind)}")'
    if isinstance(value, list):
        return f"[{', '.join(python_literal(item, None) for item in value)}]"
    if isinstance(value, dict):
        entries = (
            f"{_key(key)}: {python_literal(item, None)}" for key, item in value.items()
        )
        return f"{{{', '.join(entries)}}}"
    if value is None or type(value) in (bool, int, str):
        return ascii(value)
    if type(value) is float and math.isfinite(value):
        return repr(value)
    raise UnsafeValue(f"A {type(value).__name__} cannot be written as a parameter.")


def _key(key: Any) -> str:
    if type(key) is not str:
        raise UnsafeValue("The keys of an object must be text.")
    return ascii(key)


def _iso(value: str, bind: str) -> str:
    if bind not in _READERS:
        raise UnsafeValue(f"A value cannot be bound to {bind}.")
    try:
        return _READERS[bind](value).isoformat()
    except ValueError as error:
        raise UnsafeValue(f"This is no {bind}.") from error


def python_value(node: ast.expr, bind: str | None) -> Any:
    """Return the JSON value that ``node`` writes. Raises UnsafeValue when it is none of our literals."""
    if bind is not None and isinstance(node, ast.Call):
        match = _BOUND.fullmatch(ast.unparse(node).replace("'", '"'))
        if match is None or match[1] != bind:
            raise UnsafeValue("A call that is not the one for this parameter.")
        return _iso(match[2], bind)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise UnsafeValue("An expression that is not a literal.") from error


def same(one: Any, other: Any, bind: str | None = None) -> bool:
    """Return whether two values are equal in type and content, all the way down; ``1``, ``1.0`` and ``True`` differ."""
    if bind is not None and isinstance(one, str) and isinstance(other, str):
        return _iso(one, bind) == _iso(other, bind)
    if type(one) is not type(other):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(map(same, one.values(), other.values()))
    return repr(one) == repr(other)


def bash_literal(value: Any) -> str:
    """Return a bash word for ``value``: text as it is, yes and no as ``true`` and ``false``, null as empty text."""
    text = bash_text(value)
    if _PLAIN_BASH.fullmatch(text) and not _NOT_PLAIN & set(text):
        return f"'{text}'"
    return "$'" + "".join(_bash_byte(byte) for byte in text.encode()) + "'"


def bash_text(value: Any) -> str:
    """Return what a shell variable holds for ``value``; lists and objects are JSON text. Raises UnsafeValue."""
    if value is None:
        return ""
    if isinstance(value, str):
        if "\0" in value:
            raise UnsafeValue("A shell variable cannot hold a NUL character.")
        return value
    if type(value) in (bool, int, list, dict) or (
        type(value) is float and math.isfinite(value)
    ):
        return json.dumps(value)
    raise UnsafeValue(f"A {type(value).__name__} cannot be written as a parameter.")


def _bash_byte(byte: int) -> str:
    character = chr(byte)
    plain = 32 <= byte < 127 and character not in _NOT_PLAIN
    return character if plain else f"\\x{byte:02x}"


def bash_value(word: str) -> str:
    """Return the text that ``word`` writes. Raises UnsafeValue when it is none of our literals."""
    match = _BASH.fullmatch(word)
    if match is None or not _PLAIN_BASH.fullmatch(match["text"]):
        raise UnsafeValue("A word that is not quoted as parameters are.")
    if not match["quote"]:
        return match["text"]
    if re.sub(r"\\x[0-9a-f]{2}", "", match["text"]).count("\\"):
        raise UnsafeValue("An escape that is not one of ours.")
    parts = re.split(r"\\x([0-9a-f]{2})", match["text"])
    data = b"".join(
        bytes.fromhex(part) if place % 2 else part.encode()
        for place, part in enumerate(parts)
    )
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise UnsafeValue("Bytes that are no text.") from error
