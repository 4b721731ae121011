"""That somebody is there, seen otherwise than by a request of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from accounts.models import Session
from accounts.queries import standing_session
from accounts.sessions import LAST_ACTIVE_AT, TOUCH_EVERY_S, SessionStore

if TYPE_CHECKING:
    from datetime import datetime


@transaction.atomic
def note_presence(*, person_id: int, fingerprint: str, now: datetime) -> bool:
    """Keep the session of this fingerprint from ending as idle; False when it has ended.

    Only one that stands: what is over cannot be brought back, and its greatest age stays.
    """
    found = standing_session(person_id, fingerprint, now=now)
    if found is None:
        return False
    # Under a lock, since a request may write the same data; a session that somebody ends
    # meanwhile stays ended.
    row = Session.objects.select_for_update(no_key=True).filter(pk=found.pk).first()
    if row is None:
        return False
    store = SessionStore()
    data = store.decode(row.session_data)
    if now.timestamp() - data.get(LAST_ACTIVE_AT, 0) >= TOUCH_EVERY_S:
        data[LAST_ACTIVE_AT] = now.timestamp()
        Session.objects.filter(pk=row.pk).update(
            session_data=store.encode(data), last_active_at=now
        )
    return True
