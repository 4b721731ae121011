"""JSON read so that every reader of the file must see the same notebook.

Python's reader takes the last of two equal keys, accepts NaN, lets half a character through and
ends in a RecursionError on deep nesting. Each of these would let a reviewer approve something else
than what runs, or end in a server error; here each is refused by name.
"""

import json
import math
import re
from typing import Any, NoReturn

from gallery.intake.errors import (
    DuplicateKey,
    LoneSurrogate,
    NotANumber,
    NotJson,
    NullCharacter,
    NumberTooLarge,
    TooDeep,
)
from gallery.intake.limits import MAX_DEPTH, MAX_NUMBER_DIGITS

# The closing quote is optional, so that an unterminated string costs one scan and not one per quote.
_STRINGS_AND_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_SURROGATES = re.compile("[\ud800-\udfff]")


def parse(text: str) -> Any:
    """Return the value of ``text``.

    Raises NotJson, TooDeep, DuplicateKey, NotANumber, NumberTooLarge, LoneSurrogate, NullCharacter.
    """
    _refuse_deep_nesting(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_number,
        )
    except json.JSONDecodeError as error:
        raise NotJson(
            f"This file is not a notebook: it is not valid JSON (line {error.lineno}, column {error.colno}). "
            "Save it again from Jupyter and upload that file.",
            line=error.lineno,
            column=error.colno,
        ) from None
    _refuse_bad_characters(value)
    return value


def _refuse_deep_nesting(text: str) -> None:
    depth = 0
    for match in _STRINGS_AND_BRACKETS.finditer(text):
        mark = match.group()
        if mark in ("[", "{"):
            depth += 1
            if depth > MAX_DEPTH:
                raise TooDeep(
                    f"This file nests lists and objects more than {MAX_DEPTH} levels deep, which no notebook needs.",
                    max_depth=MAX_DEPTH,
                )
        elif mark in ("]", "}"):
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) == len(pairs):
        return result
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise DuplicateKey(
                f"One object in this file has the key “{_printable(key)}” twice. Readers disagree on which of them "
                "counts, so it cannot be reviewed. Save it again from Jupyter and upload that file.",
                key=_printable(key),
            )
        seen.add(key)
    raise AssertionError("unreachable: fewer keys than pairs means one key came twice")


def _refuse_constant(name: str) -> NoReturn:
    raise NotANumber(
        f"This file holds {name}, which is not a JSON number. Clear its outputs and upload it again."
    )


def _integer(digits: str) -> int:
    _refuse_many_digits(digits)
    return int(digits)


def _number(digits: str) -> float:
    _refuse_many_digits(digits)
    value = float(digits)
    if not math.isfinite(value):
        raise NumberTooLarge(
            f"This file holds the number {digits[:40]}, which is too large to be stored exactly."
        )
    return value


def _refuse_many_digits(digits: str) -> None:
    if len(digits) > MAX_NUMBER_DIGITS:
        raise NumberTooLarge(
            f"This file holds a number of {len(digits):,} digits, which is too large to be stored exactly.",
            digits=len(digits),
        )


def _refuse_bad_characters(value: Any) -> None:
    """Look at every string; iterative, though the depth is bounded, because outputs can be wide."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            _check_string(item)
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())


def _check_string(text: str) -> None:
    found = None if text.isascii() else _SURROGATES.search(text)
    if found:
        raise LoneSurrogate(
            f"This file holds half a character (U+{ord(found.group()):04X}, a lone surrogate), which cannot be stored "
            "or shown. Remove it and upload the file again.",
            code_point=f"U+{ord(found.group()):04X}",
        )
    if "\0" in text:
        raise NullCharacter(
            "This file holds a NUL character, which no notebook needs. Remove it and upload it again."
        )


def _printable(key: str) -> str:
    """The key, shortened and in ASCII, so that it is safe in logs and pages."""
    return key[:60].encode("ascii", "backslashreplace").decode("ascii")
