"""The session engine: sessions in PostgreSQL, each linked to its person."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from accounts.models import Session

if TYPE_CHECKING:
    from django.contrib.sessions.backends.base import SessionBase

SIGNED_IN_AT = "signed_in_at"
LAST_ACTIVE_AT = "last_active_at"
DEVICE = "device"
#: That somebody is there is written down this often (seconds).
TOUCH_EVERY_S = 30


class SessionStore(DatabaseStore):
    """Copies out of the session whose it is and when it was last used."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row = super().create_model_instance(data)
        return Session(
            session_key=row.session_key,
            session_data=row.session_data,
            expire_date=row.expire_date,
            person_id=data.get(SESSION_KEY),
            signed_in_at=moment(data.get(SIGNED_IN_AT)),
            last_active_at=moment(data.get(LAST_ACTIVE_AT)),
            device=data.get(DEVICE, ""),
        )


@dataclass(frozen=True)
class Ending:
    """How a session will end if nobody does anything: by which limit, and how soon."""

    limit: str
    left_s: float

    @property
    def is_over(self) -> bool:
        """Whether it should have ended already."""
        return self.left_s < 0

    @property
    def seconds_left(self) -> int:
        """Whole seconds, rounded up, so that 0 is never said of a session that lives."""
        return max(0, math.ceil(self.left_s))


def ending(session: SessionBase, now_s: float) -> Ending:
    """How `session` will end; one without our times began elsewhere, just now."""
    signed_in_s = session.setdefault(SIGNED_IN_AT, now_s)
    last_active_s = session.setdefault(LAST_ACTIVE_AT, now_s)
    idle_s = last_active_s + settings.SESSION_IDLE_S - now_s
    absolute_s = signed_in_s + settings.SESSION_ABSOLUTE_S - now_s
    if absolute_s < idle_s:
        return Ending("absolute", absolute_s)
    return Ending("idle", idle_s)


def moment(epoch_s: float | None) -> datetime | None:
    """A time kept in a session (seconds since 1970, UTC) as a datetime."""
    return None if epoch_s is None else datetime.fromtimestamp(epoch_s, tz=UTC)
