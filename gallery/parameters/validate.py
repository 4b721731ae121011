"""Values against an approved schema: the same rule for the page, the API and the worker."""

import json
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator

from gallery.parameters.annotations import Schema, non_null
from gallery.parameters.formats import CHECKER
from gallery.parameters.literals import is_json
from gallery.parameters.messages import message_for

MAX_BYTES = 100_000
MAX_TEXT = 10_000
MAX_ITEMS = 1_000
_MAX_INTEGER = 2**53 - 1


@dataclass(frozen=True)
class FieldError:
    """One value that does not fit: the parameter's name (empty for all of them), a code, a sentence."""

    field: str
    code: str
    message: str


class InvalidParameters(ValueError):
    """Values that the approved schema does not allow; ``errors`` says which and why."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__(
            "; ".join(
                f"{error.field}: {error.message}" if error.field else error.message
                for error in errors
            )
        )
        self.errors = errors


def clean_parameters(schema: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """Return ``values`` in the schema's order and types, only those that were given: unset is not null.

    Raises InvalidParameters with every error found.
    """
    if not isinstance(values, dict):
        raise InvalidParameters(
            [
                FieldError(
                    "", "type", "Give the parameters as an object of names and values."
                )
            ]
        )
    properties: dict[str, Schema] = schema.get("properties", {})
    errors = _unknown(properties, values) + _missing(schema, values)
    clean: dict[str, Any] = {}
    for name in sorted(
        properties,
        key=lambda each: properties[each].get("x-countersign", {}).get("order", 0),
    ):
        if name in values:
            error = _error_of(name, properties[name], values[name])
            if error:
                errors.append(error)
            else:
                clean[name] = _typed(values[name], properties[name])
    if not errors and len(json.dumps(clean).encode()) > MAX_BYTES:
        errors.append(
            FieldError(
                "", "too_large", f"All values together may have {MAX_BYTES:,} bytes."
            )
        )
    if errors:
        raise InvalidParameters(errors)
    return clean


def _unknown(properties: dict[str, Schema], values: dict[str, Any]) -> list[FieldError]:
    names = [str(name) for name in values if name not in properties]
    return [
        FieldError(name[:100], "unknown", "This version has no parameter of this name.")
        for name in names
    ]


def _missing(schema: dict[str, Any], values: dict[str, Any]) -> list[FieldError]:
    names = [name for name in schema.get("required", []) if name not in values]
    return [
        FieldError(
            name,
            "required",
            "This value is needed; the notebook has no default for it.",
        )
        for name in names
    ]


def _error_of(name: str, schema: Schema, value: Any) -> FieldError | None:
    problem = _problem(value)
    if problem:
        return FieldError(name, *problem)
    validator = Draft202012Validator(schema, format_checker=CHECKER)
    error = next(iter(validator.iter_errors(value)), None)
    if error is None:
        return None
    error.path.appendleft(name)
    return FieldError(name, *message_for(error))


def _problem(value: Any) -> tuple[str, str] | None:
    """What no schema may allow: what is not JSON, and what is too large to be a parameter."""
    if not is_json(value):
        return (
            "not_json",
            "This value holds something that cannot be stored, such as NaN or a NUL character.",
        )
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str) and len(item) > MAX_TEXT:
            return "too_long", f"Text may have at most {MAX_TEXT:,} characters."
        if isinstance(item, list | dict) and len(item) > MAX_ITEMS:
            return "too_many", f"A list may have at most {MAX_ITEMS:,} entries."
        if isinstance(item, int) and abs(item) > _MAX_INTEGER:
            return "too_large", "This number is too large to be stored exactly."
        waiting.extend(
            item
            if isinstance(item, list)
            else item.values()
            if isinstance(item, dict)
            else []
        )
    return None


def _typed(value: Any, schema: Schema) -> Any:
    """JSON has one kind of number; the schema says which of Python's two is meant."""
    inner = non_null(schema)
    kind = inner.get("type")
    if isinstance(value, bool):
        return value
    if kind == "integer" and isinstance(value, float):
        return int(value)
    if kind == "number" and isinstance(value, int):
        return float(value)
    if isinstance(value, list) and "items" in inner:
        return [_typed(item, inner["items"]) for item in value]
    if isinstance(value, dict) and isinstance(inner.get("additionalProperties"), dict):
        return {
            key: _typed(item, inner["additionalProperties"])
            for key, item in value.items()
        }
    return value
