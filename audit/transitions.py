"""Move a row along its workflow: one conditional update and its event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models, transaction

from audit.log import record

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from accounts.models import User


class InvalidTransition(Exception):
    """The workflow has no such step from where this stands."""

    def __init__(self, obj: Any, to: str) -> None:
        super().__init__(f"{obj} cannot go from {obj.status} to {to}")
        self.obj = obj
        self.to = to


class StaleState(Exception):
    """Somebody else changed this first; load it again and decide anew."""

    def __init__(self, obj: Any) -> None:
        super().__init__(f"{obj} was changed by somebody else")
        self.obj = obj


def move(
    obj: Any,
    *,
    to: str,
    table: Mapping[Any, Collection[Any]],
    action: str | None = None,
    by: User | None,
    now: datetime,
    data: dict[str, Any] | None = None,
    **fields: Any,
) -> None:
    """Move `obj` to status `to`, set `fields` with it, and record the event.

    `obj` must hold the status that the caller decided on; it is updated in place.
    The event is `action`, by default ``model.status``, with the old status as `was`.

    Raises: InvalidTransition when `table` has no such step, StaleState when the row
    no longer has the status that `obj` holds.
    """
    if to not in table[obj.status]:
        raise InvalidTransition(obj, to)
    was = str(obj.status)
    mine = type(obj)._base_manager.filter(pk=obj.pk, status=was)
    # Without a savepoint: a move whose event fails takes the caller's transaction along.
    with transaction.atomic(savepoint=False):
        moved = mine.update(status=to, **fields)
        if moved:
            for name, value in {"status": str(to), **fields}.items():
                setattr(obj, name, value)
            _record_move(obj, action=action, by=by, now=now, was=was, data=data or {})
    if not moved:
        raise StaleState(obj)


def _record_move(
    obj: models.Model,
    *,
    action: str | None,
    by: User | None,
    now: datetime,
    was: str,
    data: dict[str, Any],
) -> None:
    name = action or f"{obj._meta.model_name}.{obj.status.lower()}"  # type: ignore[attr-defined]  # any model with a status
    record(name, by=by, at=now, target=obj, **{"was": was, **data})
