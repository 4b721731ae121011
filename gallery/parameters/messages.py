"""What is said to a person whose value does not fit its parameter."""

from collections.abc import Callable
from typing import Any

from jsonschema.exceptions import ValidationError

_TYPES = {
    "integer": "Enter a whole number.",
    "number": "Enter a number.",
    "string": "Enter text.",
    "boolean": "Choose yes or no.",
    "array": "Enter a list.",
    "object": "Enter an object.",
    "null": "Leave this empty.",
}
_FORMATS = {
    "date": "Enter a date as year-month-day, for example 2026-01-31.",
    "date-time": "Enter a date and time, for example 2026-01-31T08:30.",
    "time": "Enter a time, for example 08:30.",
}
_SENTENCES: dict[str, Callable[[Any], str]] = {
    "type": lambda value: _TYPES.get(value, "This value has the wrong type."),
    "format": lambda value: _FORMATS.get(value, "This value has the wrong form."),
    "enum": lambda value: f"Choose one of: {_listed(value)}.",
    "minimum": lambda value: f"Enter {value} or more.",
    "maximum": lambda value: f"Enter {value} or less.",
    "exclusiveMinimum": lambda value: f"Enter more than {value}.",
    "exclusiveMaximum": lambda value: f"Enter less than {value}.",
    "multipleOf": lambda value: f"Enter a multiple of {value}.",
    "minLength": lambda value: f"Enter at least {value} characters.",
    "maxLength": lambda value: f"Enter at most {value} characters.",
    "minItems": lambda value: f"Give at least {value} entries.",
    "maxItems": lambda value: f"Give at most {value} entries.",
    "uniqueItems": lambda value: "Give each entry once.",
}


def message_for(error: ValidationError) -> tuple[str, str]:
    """Return a code and a sentence for ``error``; the deepest cause counts where alternatives failed."""
    if error.validator == "anyOf" and error.context:
        error = next(
            (each for each in error.context if each.validator_value != "null"),
            error.context[0],
        )
    keyword = str(error.validator)
    sentence = _SENTENCES.get(keyword, lambda value: "This value is not allowed.")(
        error.validator_value
    )
    if len(error.absolute_path) > 1:
        sentence = f"Entry {_place(error)}: {sentence}"
    return keyword, sentence


def _place(error: ValidationError) -> str:
    return ", ".join(
        str(part + 1) if isinstance(part, int) else f"“{part}”"
        for part in list(error.absolute_path)[1:]
    )


def _listed(values: list[Any]) -> str:
    shown = ", ".join(str(value) for value in values[:20])
    return f"{shown} …" if len(values) > 20 else shown
