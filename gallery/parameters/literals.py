"""Default values: literals that JSON can hold, and dates written as constructor calls."""

import ast
import datetime
import math
from typing import Any

_MAX_DEPTH = 16


class NotLiteral(ValueError):
    """An expression whose value only the notebook can compute."""


class Temporal(str):
    """A date, date-time or time in ISO form that the notebook writes as a constructor call."""

    kind: str

    def __new__(cls, text: str, kind: str) -> "Temporal":
        """``kind`` is the JSON Schema format: ``date``, ``date-time`` or ``time``."""
        self = super().__new__(cls, text)
        self.kind = kind
        return self


def read_literal(node: ast.expr) -> Any:
    """Return the JSON value that ``node`` stands for. Raises NotLiteral."""
    if isinstance(node, ast.Call):
        return _temporal(node)
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise NotLiteral from error
    if not is_json(value):
        raise NotLiteral
    return value


def is_json(value: Any, depth: int = 0) -> bool:
    """Return whether ``value`` is exactly JSON: no tuple, set, bytes, complex, NaN or key that is no string."""
    if depth > _MAX_DEPTH:
        return False
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, str):
        return "\0" not in value and not any(
            "\ud800" <= character <= "\udfff" for character in value
        )
    if isinstance(value, list):
        return all(is_json(item, depth + 1) for item in value)
    if isinstance(value, dict):
        return all(
            isinstance(key, str) and is_json(key) and is_json(item, depth + 1)
            for key, item in value.items()
        )
    return value is None or isinstance(value, bool | int)


def _temporal(call: ast.Call) -> Temporal:
    """``date(2026, 1, 31)``, ``datetime.date(2026, 1, 31)``, ``date.fromisoformat("2026-01-31")``, and so on."""
    name = ast.unparse(call.func).removeprefix("datetime.").removeprefix("dt.")
    name, _, method = name.partition(".")
    name = name or "datetime"
    if call.keywords or not all(
        isinstance(argument, ast.Constant) for argument in call.args
    ):
        raise NotLiteral
    values = [
        argument.value for argument in call.args if isinstance(argument, ast.Constant)
    ]
    try:
        return _construct(name, method, values)
    except (ValueError, TypeError) as error:
        raise NotLiteral from error


def _construct(name: str, method: str, values: list[Any]) -> Temporal:
    types: dict[str, tuple[Any, str]] = {
        "date": (datetime.date, "date"),
        "datetime": (datetime.datetime, "date-time"),
        "time": (datetime.time, "time"),
    }
    if name not in types or method not in ("", "fromisoformat"):
        raise NotLiteral
    kind, schema_format = types[name]
    value = kind.fromisoformat(*values) if method else kind(*values)
    return Temporal(value.isoformat(), schema_format)
