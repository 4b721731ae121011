"""Reading code leaves an event, whatever page or call it was read through."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from audit.log import record
from gallery.models import Version


@transaction.atomic
def note_viewed(*, version: Version, by: User, now: datetime) -> None:
    """Record that somebody read the code of a version."""
    record("version.viewed", by=by, at=now, target=version)


@transaction.atomic
def note_downloaded(*, version: Version, by: User, now: datetime) -> None:
    """Record that somebody took the stored bytes with them."""
    record("version.downloaded", by=by, at=now, target=version)


@transaction.atomic
def note_compared(*, version: Version, other: Version, by: User, now: datetime) -> None:
    """Record that somebody read how a version differs from another."""
    record("version.compared", by=by, at=now, target=version, other=other.number)
