"""Submit, withdraw, revoke, expire; choose a notebook's review policy."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.policies import BadInput, FieldError, require
from audit.log import record
from audit.transitions import move
from gallery.characters import hidden_in_words, plain_lines
from gallery.models import Notebook, Version
from gallery.services.search import index_notebook
from gallery.workflow import TRANSITIONS, Status
from reviews.models import Meaning, NotebookPolicy, ReviewPolicy
from reviews.policies import (
    policy_blockers,
    revoke_blockers,
    submit_blockers,
    withdraw_blockers,
)
from reviews.services.locking import lock_version
from reviews.signing import Confirmation, sign


class InvalidReason(BadInput):
    """A revocation needs its reason in words."""


@transaction.atomic
def submit(*, version: Version, by: User, now: datetime) -> Version:
    """Hand a draft to the peers.  Raises NotAllowed."""
    version = lock_version(version)
    require(submit_blockers(by, version))
    index_notebook(version.notebook, submitted=version)
    move(
        version,
        to=Status.IN_REVIEW,
        table=TRANSITIONS,
        action="version.submitted",
        by=by,
        now=now,
        submitted_at=now,
    )
    return version


@transaction.atomic
def withdraw(*, version: Version, by: User, now: datetime) -> Version:
    """Take a version back from review for good.  Raises NotAllowed."""
    version = lock_version(version)
    require(withdraw_blockers(by, version))
    move(
        version,
        to=Status.WITHDRAWN,
        table=TRANSITIONS,
        by=by,
        now=now,
        ended_at=now,
    )
    return version


@transaction.atomic
def revoke(
    *,
    version: Version,
    reason: str,
    by: User,
    confirmation: Confirmation,
    now: datetime,
) -> Version:
    """Take the approval away at once, with a signed reason.

    Queued runs are refused when they are claimed and running ones are stopped by
    their supervisor, which asks whether the version is still approved.
    Raises NotAllowed, InvalidReason, NotConfirmed.
    """
    reason = plain_lines(reason.replace("\x00", ""))
    if not reason or len(reason) > 500:
        raise InvalidReason(
            [
                FieldError(
                    "reason", "required", "Give the reason in 1 to 500 characters."
                )
            ]
        )
    if hidden := hidden_in_words(reason):
        raise InvalidReason([FieldError("reason", "hidden_character", hidden)])
    version = lock_version(version)
    require(revoke_blockers(by, version))
    sign(
        version=version,
        meaning=Meaning.REVOKED,
        statement=reason,
        by=by,
        confirmation=confirmation,
        now=now,
    )
    move(
        version,
        to=Status.REVOKED,
        table=TRANSITIONS,
        by=by,
        now=now,
        data={"reason": reason},
        ended_at=now,
        end_reason=reason,
    )
    return version


def expire_approvals(*, now: datetime) -> int:
    """End every approval whose time is over; return how many ended."""
    due = Version.objects.filter(
        status=Status.APPROVED, approval_expires_at__lte=now
    ).values_list("pk", flat=True)
    return sum(_expire(pk, now=now) for pk in list(due))


@transaction.atomic
def _expire(pk: int, *, now: datetime) -> bool:
    version = (
        Version.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        .select_related("notebook")
        .filter(pk=pk, status=Status.APPROVED, approval_expires_at__lte=now)
        .first()
    )
    if version is None:
        return False
    move(version, to=Status.EXPIRED, table=TRANSITIONS, by=None, now=now, ended_at=now)
    return True


@transaction.atomic
def assign_policy(
    *, notebook: Notebook, policy: ReviewPolicy, by: User, now: datetime
) -> NotebookPolicy:
    """Choose how many peers this notebook needs.  Raises NotAllowed."""
    notebook = Notebook.objects.select_for_update(no_key=True).get(pk=notebook.pk)
    require(policy_blockers(by, notebook))
    assigned, _ = NotebookPolicy.objects.update_or_create(
        notebook=notebook,
        defaults={"policy": policy, "assigned_at": now, "assigned_by": by},
    )
    record(
        "policy.assigned",
        by=by,
        at=now,
        target=notebook,
        policy=policy.name,
        peer_approvals=policy.peer_approvals,
    )
    return assigned
