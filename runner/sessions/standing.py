"""Whether a page may stay: asked of the database when it connects, and every two seconds."""

from collections import Counter
from datetime import datetime
from enum import Enum, auto

from django.db import transaction

from accounts.models import User
from accounts.queries import standing_session
from audit.log import record
from runner.models import Run
from runner.policies import session_blockers, stop_reason
from runner.sessions.tokens import Channel

#: All that is decided on, and none of a version's megabytes.
_DECIDED_ON = (
    "kind",
    "queue",
    "status",
    "persona",
    "cancel_requested_at",
    "notebook__id",
    "version__status",
    "requested_by__is_active",
)


class Standing(Enum):
    """How a page stands to its session."""

    GOOD = auto()
    #: The sign-in in which the page was opened is over.
    SIGNED_OUT = auto()
    #: The session has ended, or is about to.
    ENDED = auto()
    #: Somebody else's, or a right to it has gone.
    REFUSED = auto()


def standing(channel: Channel, *, now: datetime) -> Standing:
    """Return how the page behind `channel` stands now; four queries."""
    runs = Run.objects.select_related("notebook", "version", "requested_by")
    run = runs.only(*_DECIDED_ON).filter(pk=channel.run_id).first()
    if run is None or run.requested_by_id != channel.person_id:
        return Standing.REFUSED
    if run.is_final or run.cancel_requested_at is not None:
        return Standing.ENDED
    if standing_session(channel.person_id, channel.sign_in, now=now) is None:
        return Standing.SIGNED_OUT
    # The row is younger than this question, and nothing is written on its word.
    run.requested_by.remember_rights()
    if session_blockers(run.requested_by, run) or stop_reason(run) is not None:
        return Standing.REFUSED
    return Standing.GOOD


@transaction.atomic
def record_refused(channel: Channel, refused: Counter[str], *, now: datetime) -> None:
    """Record how many messages of a page were refused, by why; never what they said."""
    record(
        "live.refused_messages",
        by=User.objects.get(pk=channel.person_id),
        at=now,
        target=Run.objects.select_related("notebook", "version").get(pk=channel.run_id),
        messages=refused.total(),
        codes=[f"{code} {count}" for code, count in sorted(refused.items())],
    )
