"""Strict checks of ``format`` in JSON Schema, where it would otherwise be a mere annotation.

``date.fromisoformat`` alone would take week dates and dates without hyphens, which databases read differently.
"""

import datetime
import re
from collections.abc import Callable
from typing import Any

from jsonschema import FormatChecker

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = r"\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?"
_TIME_ONLY = re.compile(_TIME, re.ASCII)
_DATE_TIME = re.compile(rf"\d{{4}}-\d{{2}}-\d{{2}}[T ]{_TIME}", re.ASCII)

CHECKER = FormatChecker(formats=())


def read_date(text: str) -> datetime.date:
    """Return the date written as ``2026-01-31``. Raises ValueError."""
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return datetime.date.fromisoformat(text)


def read_datetime(text: str) -> datetime.datetime:
    """Return the date and time written as ``2026-01-31T08:30``, with or without seconds and zone. Raises ValueError."""
    if not _DATE_TIME.fullmatch(text):
        raise ValueError(text)
    return datetime.datetime.fromisoformat(text)


def read_time(text: str) -> datetime.time:
    """Return the time written as ``08:30``, with or without seconds and zone. Raises ValueError."""
    if not _TIME_ONLY.fullmatch(text):
        raise ValueError(text)
    return datetime.time.fromisoformat(text)


def _is(read: Callable[[str], Any]) -> Callable[[object], bool]:
    """Return a check for ``FormatChecker``: what is no text is not its business."""

    def check(value: object) -> bool:
        if isinstance(value, str):
            read(value)
        return True

    return check


CHECKER.checks("date", raises=ValueError)(_is(read_date))
CHECKER.checks("date-time", raises=ValueError)(_is(read_datetime))
CHECKER.checks("time", raises=ValueError)(_is(read_time))
