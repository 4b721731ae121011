"""The two decisions that make a version runnable: peer review and sign-off."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from accounts.models import User
from accounts.policies import BadInput, FieldError, require
from audit.log import record, stamp
from audit.transitions import StaleState, move
from gallery.characters import hidden_in_words, plain_lines
from gallery.models import Version
from gallery.services.search import index_notebook
from gallery.workflow import TRANSITIONS, Status
from reviews.models import Meaning, Review, ReviewDecision, SignOff, SignOffDecision
from reviews.policies import (
    peer_approvals,
    peers_required,
    review_blockers,
    sign_off_blockers,
)
from reviews.services.locking import lock_version
from reviews.sheet import in_force, sheet_fingerprint
from reviews.signing import Confirmation, sign

_COMMENT_LENGTH = 5000


class InvalidDecision(BadInput):
    """The decision is not one of those offered, or lacks its reason."""


@dataclass(frozen=True)
class Decision:
    """What a signer decided; `seen` is the fingerprint of the page they read."""

    decision: str
    comment: str = ""
    seen: str | None = None


@transaction.atomic
def record_review(
    *,
    version: Version,
    decision: Decision,
    by: User,
    confirmation: Confirmation,
    now: datetime,
) -> Review:
    """Store and sign a peer's decision; the last approval needed moves the version.

    Raises NotAllowed, InvalidDecision, NotConfirmed, StaleState.
    """
    comment = _clean(decision, ReviewDecision.values, ReviewDecision.APPROVE)
    version = lock_version(version)
    require(review_blockers(by, version))
    signed = {
        **in_force(version),
        "fingerprint": _fresh_fingerprint(version, decision),
    }
    approves = decision.decision == ReviewDecision.APPROVE
    review = Review.objects.create(
        version=version,
        decision=decision.decision,
        comment=comment,
        reviewed_at=now,
        reviewed_by=by,
    )
    sign(
        version=version,
        meaning=Meaning.PEER_REVIEWED if approves else Meaning.CHANGES_REQUESTED,
        statement=comment,
        by=by,
        confirmation=confirmation,
        now=now,
        in_force=signed,
    )
    record("review.recorded", by=by, at=now, target=version, decision=decision.decision)
    if not approves:
        _send_back(version, comment, by=by, now=now)
    elif peer_approvals(version) >= peers_required(version.notebook):
        move(version, to=Status.PEER_APPROVED, table=TRANSITIONS, by=by, now=now)
    return review


@transaction.atomic
def record_sign_off(
    *,
    version: Version,
    decision: Decision,
    by: User,
    confirmation: Confirmation,
    now: datetime,
) -> SignOff:
    """Store and sign compliance's decision; approval replaces the older version.

    Raises NotAllowed, InvalidDecision, NotConfirmed, StaleState.
    """
    comment = _clean(decision, SignOffDecision.values, SignOffDecision.APPROVE)
    version = lock_version(version)
    require(sign_off_blockers(by, version))
    approves = decision.decision == SignOffDecision.APPROVE
    ends_at = now + timedelta(days=settings.APPROVAL_VALID_DAYS)
    signed = {
        **in_force(version),
        "fingerprint": _fresh_fingerprint(version, decision),
        "expires_at": stamp(ends_at) if approves else None,
    }
    if approves:
        index_notebook(version.notebook, approved=version)
    sign_off = SignOff.objects.create(
        version=version,
        decision=decision.decision,
        comment=comment,
        audience=signed["audience"],
        signed_at=now,
        signed_by=by,
    )
    sign(
        version=version,
        meaning=(
            Meaning.COMPLIANCE_APPROVED if approves else Meaning.COMPLIANCE_REJECTED
        ),
        statement=comment,
        by=by,
        confirmation=confirmation,
        now=now,
        in_force=signed,
    )
    record(
        "sign_off.recorded", by=by, at=now, target=version, decision=decision.decision
    )
    if approves:
        _approve(version, ends_at=ends_at, by=by, now=now)
    else:
        _send_back(version, comment, by=by, now=now)
    return sign_off


def _send_back(version: Version, reason: str, *, by: User, now: datetime) -> None:
    move(
        version,
        to=Status.CHANGES_REQUESTED,
        table=TRANSITIONS,
        by=by,
        now=now,
        ended_at=now,
        end_reason=reason[:500],
    )


def _approve(version: Version, *, ends_at: datetime, by: User, now: datetime) -> None:
    """Supersede what was approved before, then approve: never two at once."""
    for older in version.notebook.versions.filter(status=Status.APPROVED):
        move(
            older,
            to=Status.SUPERSEDED,
            table=TRANSITIONS,
            by=by,
            now=now,
            ended_at=now,
            end_reason=f"Replaced by version {version.number}.",
        )
    move(
        version,
        to=Status.APPROVED,
        table=TRANSITIONS,
        by=by,
        now=now,
        approved_at=now,
        approval_expires_at=ends_at,
    )


def _clean(decision: Decision, allowed: list[str], approve: str) -> str:
    """Return the comment; anything but an approval needs one."""
    comment = plain_lines(decision.comment.replace("\x00", ""))
    if decision.decision not in allowed:
        raise InvalidDecision(
            [FieldError("decision", "invalid", f"Choose one of: {', '.join(allowed)}.")]
        )
    if decision.decision != approve and not comment:
        raise InvalidDecision(
            [FieldError("comment", "required", "Say what has to change.")]
        )
    if len(comment) > _COMMENT_LENGTH:
        raise InvalidDecision(
            [FieldError("comment", "too_long", "Keep it to 5,000 characters.")]
        )
    if hidden := hidden_in_words(comment):
        raise InvalidDecision([FieldError("comment", "hidden_character", hidden)])
    return comment


def _fresh_fingerprint(version: Version, decision: Decision) -> str:
    """Return the fingerprint of what is in force now, under the version's locks.

    Raises StaleState when the signer read something else. Who did not say what they
    read signs what is in force, and the answer tells them what that was.
    """
    fingerprint = sheet_fingerprint(version)
    if decision.seen is not None and decision.seen != fingerprint:
        raise StaleState(version)
    return fingerprint
