"""The states of a version and the only moves between them."""

from django.db.models import TextChoices


class Status(TextChoices):
    """Where a version stands between its upload and its end."""

    #: Uploaded; its author may still throw it away.
    DRAFT = "draft", "Draft"
    #: Submitted; peers read it.
    IN_REVIEW = "in_review", "In review"
    #: Enough peers approved; compliance reads it.
    PEER_APPROVED = "peer_approved", "Peer approved"
    #: Signed off: these bytes may run on real data.
    APPROVED = "approved", "Approved"
    #: A reviewer or a compliance officer asked for another version.
    CHANGES_REQUESTED = "changes_requested", "Changes requested"
    #: The author took it back.
    WITHDRAWN = "withdrawn", "Withdrawn"
    #: Approval taken away, with a reason.
    REVOKED = "revoked", "Revoked"
    #: Approval ran out.
    EXPIRED = "expired", "Expired"
    #: A newer version of the notebook was approved.
    SUPERSEDED = "superseded", "Superseded"


TRANSITIONS: dict[str, frozenset[str]] = {
    Status.DRAFT: frozenset({Status.IN_REVIEW}),
    Status.IN_REVIEW: frozenset(
        {
            Status.PEER_APPROVED,
            Status.CHANGES_REQUESTED,
            Status.WITHDRAWN,
        }
    ),
    Status.PEER_APPROVED: frozenset(
        {
            Status.APPROVED,
            Status.CHANGES_REQUESTED,
            Status.WITHDRAWN,
        }
    ),
    Status.APPROVED: frozenset({Status.REVOKED, Status.EXPIRED, Status.SUPERSEDED}),
    Status.CHANGES_REQUESTED: frozenset(),
    Status.WITHDRAWN: frozenset(),
    Status.REVOKED: frozenset(),
    Status.EXPIRED: frozenset(),
    Status.SUPERSEDED: frozenset(),
}

FINAL = frozenset(status for status, onward in TRANSITIONS.items() if not onward)
UNDER_REVIEW = frozenset({Status.IN_REVIEW, Status.PEER_APPROVED})
