"""The session engine: sessions in PostgreSQL, each linked to its person."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from accounts.models import Session

SIGNED_IN_AT = "signed_in_at"
LAST_ACTIVE_AT = "last_active_at"
DEVICE = "device"


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


def moment(epoch_s: float | None) -> datetime | None:
    """A time kept in a session (seconds since 1970, UTC) as a datetime."""
    return None if epoch_s is None else datetime.fromtimestamp(epoch_s, tz=UTC)
