"""Looking at the log is recorded in the log, before anything is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from accounts.permissions import Permission
from accounts.policies import permission_blockers, require
from audit.log import record
from audit.verify import verify_log

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User
    from audit.chain import Verdict
    from audit.queries import EventFilter


def open_log(*, chosen: EventFilter, by: User, now: datetime) -> None:
    """Let an auditor look, and record it.  Raises NotAllowed."""
    require(permission_blockers(by, Permission.AUDIT_READ))
    with transaction.atomic():
        record("audit.viewed", by=by, at=now, filters=chosen.words())


def take_copy(*, chosen: EventFilter, events: int, by: User, now: datetime) -> None:
    """Let an auditor export `events` events, and record it.  Raises NotAllowed."""
    require(permission_blockers(by, Permission.AUDIT_READ))
    with transaction.atomic():
        record("audit.exported", by=by, at=now, filters=chosen.words(), events=events)


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
