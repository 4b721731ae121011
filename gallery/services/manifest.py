"""Read a declared data manifest: the tables and columns a version may read."""

import re
from typing import Any

from accounts.policies import BadInput, FieldError
from gallery.declared import read_declared

_TABLE = re.compile(r"[a-z_][a-z0-9_]{0,62}\.[a-z_][a-z0-9_]{0,62}")
_COLUMN = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class InvalidManifest(BadInput):
    """The manifest does not have the form that it must have."""


def clean_manifest(value: Any) -> dict[str, Any] | None:
    """Return `{"tables": {"schema.table": [columns]}}` sorted, or None if undeclared.

    Accepts the object itself or its JSON text. Raises InvalidManifest.
    """
    try:
        value = read_declared(value)
    except ValueError as error:
        raise _invalid("The manifest is not valid JSON.") from error
    if value is None:
        return None
    tables = value.get("tables") if isinstance(value, dict) else None
    if not isinstance(tables, dict) or set(value) != {"tables"} or not tables:
        raise _invalid(
            'Write the manifest as {"tables": {"schema.table": ["column", …]}}.'
        )
    return {
        "tables": {table: _columns(table, tables[table]) for table in sorted(tables)}
    }


def _columns(table: str, columns: Any) -> list[str]:
    if not _TABLE.fullmatch(table):
        raise _invalid(f"{table!r} is not a table name like clinic.patients.")
    if not isinstance(columns, list) or not columns:
        raise _invalid(f"Name at least one column of {table}.")
    for column in columns:
        if not isinstance(column, str) or not _COLUMN.fullmatch(column):
            raise _invalid(f"{column!r} is not a column name (table {table}).")
    return sorted(set(columns))


def _invalid(message: str) -> InvalidManifest:
    return InvalidManifest([FieldError("manifest", "invalid_manifest", message)])
