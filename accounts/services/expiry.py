"""Sessions whose time is over, of people who did not come back."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts.models import Session
from audit.log import record


def expire_sessions(*, now: datetime) -> int:
    """Delete every session that nobody can use again; return how many.

    An idle session stays until then, so that its person is told why it ended.
    """
    due = Session.objects.filter(_over(now)).values_list("pk", flat=True)
    return sum(_expire(pk, now=now) for pk in list(due))


@transaction.atomic
def _expire(pk: str, *, now: datetime) -> bool:
    session = Session.objects.select_related("person").filter(_over(now), pk=pk).first()
    # Whoever deletes the row records it, as in expire_session.
    if session is None or not Session.objects.filter(_over(now), pk=pk).delete()[0]:
        return False
    if session.person is not None:
        record(
            "session.expired",
            by=None,
            at=now,
            target=session.person,
            reason="absolute",
        )
    return True


def _over(now: datetime) -> Q:
    oldest = now - timedelta(seconds=settings.SESSION_ABSOLUTE_S)
    return Q(expire_date__lte=now) | Q(signed_in_at__lt=oldest)
