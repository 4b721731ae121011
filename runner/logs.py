"""Logs of every process: one JSON line per record, which never holds the words of an exception.

An exception may quote a parameter, a row or a secret; its class and where it was raised do not.
The kernel host uses this too, so nothing here is Django's.
"""

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from traceback import walk_tb
from typing import Any

FORMATS = {"json", "text"}
TEXT = "{asctime} {levelname} {name} {message}"
#: Our own records read `run.claimed run_id=… code=…`; what has no name is a class of error.
_EVENT = re.compile(r"([a-z_]+\.[a-z_]+)((?: \S+)*)")
_QUERY = re.compile(r"\?\S*")
_FRAMES = 12

_about: ContextVar[tuple[tuple[str, str], ...]] = ContextVar("log_about", default=())


@contextmanager
def about(**names: str) -> Iterator[None]:
    """Name, in every record of the block and of the tasks that it starts, what it is about."""
    token = _about.set(_with(names))
    try:
        yield
    finally:
        _about.reset(token)


def about_from_here(**names: str) -> None:
    """Name, in every later record of this task or thread, what it is about."""
    _about.set(_with(names))


def _with(names: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple({**dict(_about.get()), **names}.items())


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line: time, level, logger, event, and what else is known."""
        error = record.exc_info[1] if record.exc_info else None
        event, known = _read(_without_words(record.getMessage(), error))
        if record.name == "uvicorn.access":
            event = _QUERY.sub("", event)  # what somebody searched for
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname,
            "logger": record.name,
            "event": event,
        }
        return json.dumps({**known, **dict(_about.get()), **_where(error), **line})


def formatter(name: str) -> logging.Formatter:
    """Return the formatter for a value of `LOG_FORMAT`."""
    return JsonLines() if name == "json" else logging.Formatter(TEXT, style="{")


def _read(message: str) -> tuple[str, dict[str, str]]:
    """Take a message of ours apart; anybody else's is an event as it is."""
    match = _EVENT.fullmatch(message)
    if match is None:
        return message, {}
    words = [word.partition("=") for word in match[2].split()]
    known = {name: value for name, equals, value in words if equals}
    errors = [word for word, equals, _ in words if not equals]
    return match[1], known | ({"error": " ".join(errors)} if errors else {})


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception, and those that it came from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _without_words(message: str, error: BaseException | None) -> str:
    for each in _chain(error):
        for words in (repr(each), str(each)):
            if words:
                message = message.replace(words, type(each).__name__)
    return message


def _where(error: BaseException | None) -> dict[str, Any]:
    """What may be told of an exception: its classes, and the innermost lines that it passed."""
    if error is None:
        return {}
    frames = [
        f"{frame.f_code.co_filename}:{line} {frame.f_code.co_name}"
        for frame, line in walk_tb(error.__traceback__)
    ]
    classes = " < ".join(type(each).__name__ for each in _chain(error))
    return {"error": classes, "where": frames[-_FRAMES:]}
