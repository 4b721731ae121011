"""When and why a version may not be submitted, reviewed, signed off or revoked."""

from django.conf import settings

from accounts.models import User
from accounts.permissions import Permission, has_permission
from accounts.policies import Blocker, StateBlocker
from gallery.access import (
    can_edit,
    can_review,
    contributors,
    named_reviewers,
    named_source_readers,
)
from gallery.models import Notebook, Version
from gallery.workflow import UNDER_REVIEW, Status
from reviews.approval import approval_problems
from reviews.models import DECIDING, NotebookPolicy, ReviewDecision

_STANDS = {
    Status.DRAFT: "it has not been submitted yet",
    Status.IN_REVIEW: "peers are still reviewing it",
    Status.PEER_APPROVED: "its peer review is complete",
    Status.APPROVED: "it is already approved",
    Status.CHANGES_REQUESTED: "changes were requested; upload a new version",
    Status.WITHDRAWN: "its author withdrew it",
    Status.REVOKED: "it was revoked",
    Status.EXPIRED: "its approval expired",
    Status.SUPERSEDED: "a newer version replaced it",
}


def peers_required(notebook: Notebook) -> int:
    """Return how many peer approvals the notebook's policy asks for."""
    chosen = NotebookPolicy.objects.select_related("policy").filter(notebook=notebook)
    assigned = chosen.first()
    if assigned is None:
        return int(settings.PEER_APPROVALS_REQUIRED)
    return assigned.policy.peer_approvals


def peer_approvals(version: Version) -> int:
    """Return how many peers have approved so far."""
    return version.reviews.filter(decision=ReviewDecision.APPROVE).count()


def submit_blockers(user: User, version: Version) -> list[Blocker]:
    """Return why the person may not submit this draft for review."""
    blockers = _author_blockers(user, version) + _state_blockers(
        version, {Status.DRAFT}, "not_a_draft", "Only a draft can be submitted"
    )
    return (
        blockers
        + _closed_source_blockers(version)
        + _closed_review_blockers(version.notebook)
    )


def _closed_source_blockers(version: Version) -> list[Blocker]:
    """Return whether the code is open to too few people to ever be approved."""
    notebook = version.notebook
    if not notebook.source_restricted:
        return []
    wrote = contributors(notebook)
    readers = [
        reader for reader in named_source_readers(notebook) if reader.pk not in wrote
    ]
    peers = sum(
        has_permission(each, Permission.VERSION_REVIEW) and can_review(each, notebook)
        for each in readers
    )
    officers = any(
        has_permission(each, Permission.VERSION_SIGN_OFF) for each in readers
    )
    needed = peers_required(notebook)
    if peers >= needed and officers:
        return []
    return [
        Blocker(
            "nobody_can_review",
            f"Its code is open to too few people. Let {needed} peer reviewers and a "
            "compliance officer read it, or open it to everyone who reviews.",
        )
    ]


def _closed_review_blockers(notebook: Notebook) -> list[Blocker]:
    """Return whether the review is open to too few peers to ever be complete."""
    if not notebook.review_restricted:
        return []
    wrote = contributors(notebook)
    peers = sum(
        person.pk not in wrote and has_permission(person, Permission.VERSION_REVIEW)
        for person in named_reviewers(notebook)
    )
    needed = peers_required(notebook)
    if peers >= needed:
        return []
    return [
        Blocker(
            "nobody_can_review",
            f"Its review is open to {peers} of the {needed} peer reviewers that it "
            "takes. Name more of them, or open it to everyone who reviews.",
        )
    ]


def withdraw_blockers(user: User, version: Version) -> list[Blocker]:
    """Return why the person may not take the version back."""
    return _author_blockers(user, version) + _state_blockers(
        version,
        UNDER_REVIEW,
        "not_under_review",
        "Only a version under review can be withdrawn",
    )


def review_blockers(user: User, version: Version) -> list[Blocker]:
    """Return why the person may not review this version as a peer."""
    blockers = []
    if not has_permission(user, Permission.VERSION_REVIEW):
        blockers.append(
            Blocker("not_a_reviewer", "Only people with the peer reviewer role review.")
        )
    elif not can_review(user, version.notebook):
        blockers.append(
            Blocker(
                "not_a_named_reviewer",
                "This notebook is reviewed by named people, and you are not one.",
            )
        )
    blockers += _own_work_blockers(user, version)
    blockers += _state_blockers(
        version, {Status.IN_REVIEW}, "not_in_review", "It cannot be reviewed now"
    )
    blockers += _already_signed_blockers(user, version)
    return blockers


def sign_off_blockers(user: User, version: Version) -> list[Blocker]:
    """Return why the person may not sign this version off for compliance."""
    blockers = []
    if not has_permission(user, Permission.VERSION_SIGN_OFF):
        blockers.append(
            Blocker(
                "not_a_compliance_officer",
                "Only people with the compliance officer role sign off.",
            )
        )
    blockers += _own_work_blockers(user, version)
    if version.status == Status.IN_REVIEW:
        blockers.append(
            StateBlocker(
                "peer_quorum_missing",
                f"{peer_approvals(version)} of {peers_required(version.notebook)} "
                "peer approvals so far; compliance signs after the peers.",
            )
        )
    else:
        blockers += _state_blockers(
            version,
            {Status.PEER_APPROVED},
            "not_peer_approved",
            "It cannot be signed off now",
        )
    blockers += _already_signed_blockers(user, version)
    return blockers


def revoke_blockers(user: User, version: Version) -> list[Blocker]:
    """Return why the person may not take the approval away."""
    blockers = []
    if not has_permission(user, Permission.VERSION_REVOKE):
        blockers.append(
            Blocker("not_a_compliance_officer", "Only a compliance officer can revoke.")
        )
    return blockers + _state_blockers(
        version, {Status.APPROVED}, "not_approved", "Only an approval can be revoked"
    )


def approval_blockers(version: Version) -> list[Blocker]:
    """Return why an approved version's signatures do not let it run.

    The words are for who wants to run it; the log and `verify_signatures` name what
    does not hold.
    """
    if version.status != Status.APPROVED or not approval_problems(version):
        return []
    return [
        StateBlocker(
            "signatures_do_not_hold",
            f"The signatures of version {version.number} do not hold, so it does not "
            "run. Tell whoever is responsible for data protection.",
        )
    ]


def next_step_blockers(user: User, version: Version) -> list[Blocker]:
    """Return why the person may not take the version's next step towards approval.

    An approved version has no next step; one whose life is over never has one again.
    """
    if version.status == Status.DRAFT:
        return submit_blockers(user, version)
    if version.status == Status.APPROVED:
        return []
    if version.status not in UNDER_REVIEW:
        return _state_blockers(
            version, UNDER_REVIEW, "ended", "Nothing more can be done"
        )
    signs_off = has_permission(user, Permission.VERSION_SIGN_OFF)
    reviews = has_permission(user, Permission.VERSION_REVIEW)
    if version.status == Status.PEER_APPROVED or (signs_off and not reviews):
        return sign_off_blockers(user, version)
    return review_blockers(user, version)


def comment_blockers(user: User, version: Version) -> list[Blocker]:
    """Return why the person may not comment; whoever reviews or wrote it may."""
    speaks = (
        can_edit(user, version.notebook)
        or has_permission(user, Permission.VERSION_REVIEW)
        or has_permission(user, Permission.VERSION_SIGN_OFF)
    )
    if speaks:
        return []
    return [
        Blocker(
            "not_part_of_the_review",
            "Only the authors, peer reviewers and compliance officers comment.",
        )
    ]


def access_blockers(
    user: User, notebook: Notebook, *, widens_approved: bool
) -> list[Blocker]:
    """Return why the person may not change who may launch or read the code.

    An audience that was signed off is part of what was signed: widening it takes a
    compliance officer who did not write the notebook.
    """
    if not widens_approved:
        if can_edit(user, notebook) or has_permission(
            user, Permission.VERSION_SIGN_OFF
        ):
            return []
        return [
            Blocker(
                "not_a_contributor",
                "Only the notebook's authors and compliance officers change access.",
            )
        ]
    blockers = []
    if not has_permission(user, Permission.VERSION_SIGN_OFF):
        blockers.append(
            Blocker(
                "widening_needs_compliance",
                "This notebook is approved for a smaller audience. "
                "A compliance officer must sign a wider one.",
            )
        )
    if user.pk in contributors(notebook):
        blockers.append(
            Blocker("own_work", "You worked on this notebook, so you cannot widen it.")
        )
    return blockers


def policy_blockers(user: User, notebook: Notebook) -> list[Blocker]:
    """Return why the person may not choose the notebook's review policy."""
    blockers = []
    if not has_permission(user, Permission.POLICY_ASSIGN):
        blockers.append(
            Blocker(
                "not_a_compliance_officer",
                "Only a compliance officer chooses the review policy.",
            )
        )
    if user.pk in contributors(notebook):
        blockers.append(
            Blocker("own_work", "You worked on this notebook; somebody else decides.")
        )
    if notebook.versions.filter(status__in=UNDER_REVIEW).exists():
        blockers.append(
            StateBlocker(
                "review_open",
                "A version is under review; the bar is not moved while it is.",
            )
        )
    return blockers


def _author_blockers(user: User, version: Version) -> list[Blocker]:
    if not has_permission(user, Permission.NOTEBOOK_SUBMIT):
        return [Blocker("not_an_author", "Only people with the author role do this.")]
    if not can_edit(user, version.notebook):
        return [
            Blocker("not_a_contributor", "Only the notebook's authors can do this.")
        ]
    return []


def _own_work_blockers(user: User, version: Version) -> list[Blocker]:
    if user.pk not in contributors(version.notebook):
        return []
    return [
        Blocker(
            "own_work",
            "You worked on this notebook. Nobody signs their own work.",
        )
    ]


def _already_signed_blockers(user: User, version: Version) -> list[Blocker]:
    if not version.signatures.filter(person=user, meaning__in=DECIDING).exists():
        return []
    return [
        Blocker(
            "already_signed",
            "You have already signed this version; another person must decide.",
        )
    ]


def _state_blockers(
    version: Version, allowed: "set[Status] | frozenset[Status]", code: str, lead: str
) -> list[Blocker]:
    if version.status in allowed:
        return []
    return [StateBlocker(code, f"{lead}: {_STANDS[Status(version.status)]}.")]
