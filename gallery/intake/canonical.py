"""The one byte form of a notebook: what is stored, downloaded and compared."""

import json
from typing import Any


def canonical_bytes(notebook: dict[str, Any]) -> bytes:
    """Return ``notebook`` as UTF-8 JSON: keys sorted, one space of indentation, LF, one newline at the end."""
    text = json.dumps(
        notebook, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False
    )
    return f"{text}\n".encode()


def compact(value: Any) -> str:
    """Return ``value`` as JSON with sorted keys and no spaces: the form that is hashed and measured."""
    return json.dumps(
        value,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    )
