"""Looking at the log is recorded in the log, before anything is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from accounts.permissions import Permission
from accounts.policies import BadInput, FieldError, permission_blockers, require
from audit.log import record
from audit.queries import events_matching
from audit.verify import export_line, verify_log

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User
    from audit.chain import Verdict
    from audit.queries import EventFilter


#: More events than this are exported by `manage.py export_audit` only.
EXPORT_LIMIT = 50_000


class TooManyEvents(BadInput):
    """More events match than one download carries."""

    def __init__(self, count: int) -> None:
        message = (
            f"{count} events match, and one export carries {EXPORT_LIMIT}. "
            "Narrow the dates and export part by part."
        )
        super().__init__([FieldError("", "too_many_events", message)])
        self.count = count


def open_log(*, chosen: EventFilter, by: User, now: datetime) -> None:
    """Let an auditor look, and record it.  Raises NotAllowed."""
    require(permission_blockers(by, Permission.AUDIT_READ))
    with transaction.atomic():
        record("audit.viewed", by=by, at=now, filters=chosen.words())


def take_copy(*, chosen: EventFilter, by: User, now: datetime) -> list[str]:
    """Return the events that match as lines, oldest first, and record the export.

    Raises NotAllowed, TooManyEvents.
    """
    require(permission_blockers(by, Permission.AUDIT_READ))
    events = events_matching(chosen).order_by("seq")
    count = events.count()
    if count > EXPORT_LIMIT:
        raise TooManyEvents(count)
    with transaction.atomic():
        record("audit.exported", by=by, at=now, filters=chosen.words(), events=count)
    return [export_line(event) + "\n" for event in events[:count].iterator()]


def verify(*, by: User, now: datetime) -> Verdict:
    """Verify the whole log for an auditor, and record the outcome.

    Raises NotAllowed.
    """
    require(permission_blockers(by, Permission.AUDIT_READ))
    verdict = verify_log()
    with transaction.atomic():
        record(
            "audit.verified",
            by=by,
            at=now,
            result=verdict.broken.message if verdict.broken else "unbroken",
            checked=verdict.checked,
        )
    return verdict
