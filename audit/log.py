"""Append an event to the log, in the transaction of the act that it records."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection

from audit.chain import canonical_json

if TYPE_CHECKING:
    from django.db import models

    from accounts.models import User

SERVICE_NAME = "Countersign"
MAX_DATA_BYTES = 4096
MAX_TEXT_CHARS = 500
MAX_LABEL_CHARS = 200
TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True)
class AppendedEvent:
    """Where the event stands in the chain."""

    seq: int
    hash: str


class NoTransaction(Exception):
    """An event is recorded inside the transaction of its act (transaction.atomic)."""


class BadEventData(Exception):
    """An event holds only JSON scalars and lists of them, 4 KB in all."""


def record(
    action: str,
    *,
    by: User | None,
    at: datetime,
    target: models.Model | None = None,
    **data: Any,
) -> AppendedEvent:
    """Append one event; make it the last statement of the transaction.

    Args:
        action: what happened, as ``version.submitted``.
        by: who did it; None for the service itself.
        at: when, an aware datetime.
        target: what it happened to.  If it has an attribute ``audit_data`` (a dict,
            for example the notebook's slug), that is stored with the event too.
        data: JSON scalars or lists of them.  Never patient data.

    Raises: NoTransaction, BadEventData.
    """
    if not connection.in_atomic_block:
        raise NoTransaction
    stored = _clean_data({**getattr(target, "audit_data", {}), **data})
    payload = canonical_json(
        {
            "at": stamp(at),
            "actor": by.username if by else "",
            "actor_name": _clean_text(by.printed_name, MAX_LABEL_CHARS)
            if by
            else SERVICE_NAME,
            "action": action,
            "target_type": target._meta.label_lower if target else "",
            "target_id": str(target.pk) if target else "",
            "target_label": _clean_text(str(target), MAX_LABEL_CHARS) if target else "",
            "data": stored,
        }
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT new_seq, new_hash FROM audit.append(%s)", [payload])
        return AppendedEvent(*cursor.fetchone())


def head_hash() -> str:
    """The hash of the newest event (zeros before the first), locking the head.

    Nobody else appends until this transaction ends: lock rows first, then the head.
    Raises NoTransaction.
    """
    if not connection.in_atomic_block:
        raise NoTransaction
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit.lock_head()")
        return str(cursor.fetchone()[0])


def stamp(at: datetime) -> str:
    """`at` in UTC with microseconds, as ``2026-01-02T03:04:05.000006Z``."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _clean_data(data: dict[str, Any]) -> dict[str, Any]:
    stored = {key: _clean_value(value) for key, value in data.items()}
    size_bytes = len(canonical_json(stored).encode())
    if size_bytes > MAX_DATA_BYTES:
        message = f"{size_bytes} bytes of data, at most {MAX_DATA_BYTES}"
        raise BadEventData(message)
    return stored


def _clean_value(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_clean_scalar(item) for item in value]
    return _clean_scalar(value)


def _clean_scalar(value: Any) -> str | int | float | bool | None:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, date | UUID):
        return str(value)
    if isinstance(value, str):
        return _clean_text(value, MAX_TEXT_CHARS)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        # A whole float has two spellings (1e22, 10000…); an integer has one.
        return int(value) if value.is_integer() else value
    message = f"{type(value).__name__} is neither a JSON scalar nor a list of them"
    raise BadEventData(message)


def _clean_text(text: str, max_chars: int) -> str:
    """`text` without what would break or reorder a sentence, and not too long.

    Control characters, lone surrogates and the marks that turn the direction of
    writing become blanks.
    """
    clean = "".join(
        " " if unicodedata.category(char) in {"Cc", "Cs"} or char in TURNS else char
        for char in text[: max_chars + 1]
    )
    return clean if len(clean) <= max_chars else clean[: max_chars - 1] + "…"
