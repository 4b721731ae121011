"""What an author declares beside a notebook, given as an object or as its JSON text."""

import json
from typing import Any


def read_declared(value: Any) -> Any:
    """Return the object, or None where nothing is declared.

    Raises ValueError for a text that is not JSON, or is nested beyond reading.
    """
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    try:
        return json.loads(value)
    except RecursionError as error:
        message = "nested too deeply"
        raise ValueError(message) from error
