"""Reads of the review: what waits for whom."""

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from accounts.models import User
from accounts.permissions import Permission, has_permission
from gallery.access import contributed_by, reviewable_by, source_readable_by
from gallery.models import Notebook, Version
from gallery.workflow import Status
from reviews.models import DECIDING, Comment, ReviewDecision, Signature


def waiting_for(user: User) -> QuerySet[Version]:
    """Return the versions that this person could decide on now, oldest first."""
    mine = Q()
    if has_permission(user, Permission.VERSION_REVIEW):
        open_review = Notebook.objects.filter(reviewable_by(user)).values("pk")
        mine |= Q(status=Status.IN_REVIEW, notebook__in=open_review)
    if has_permission(user, Permission.VERSION_SIGN_OFF):
        mine |= Q(status=Status.PEER_APPROVED)
    if not mine:
        return Version.objects.none()
    signed = Signature.objects.filter(
        version=OuterRef("pk"), person=user, meaning__in=DECIDING
    )
    own = Notebook.objects.filter(contributed_by(user)).values("pk")
    readable = Notebook.objects.filter(source_readable_by(user)).values("pk")
    open_to_me = under_review().filter(mine, notebook__in=readable)
    return open_to_me.exclude(notebook__in=own).exclude(Exists(signed))


def under_review() -> QuerySet[Version]:
    """Return every version under review with its number of approvals."""
    return (
        Version.objects.filter(status__in=[Status.IN_REVIEW, Status.PEER_APPROVED])
        .select_related("notebook", "created_by")
        .annotate(
            approvals=Count(
                "reviews", filter=Q(reviews__decision=ReviewDecision.APPROVE)
            )
        )
        .order_by("submitted_at", "pk")
    )


def drafts_of(user: User) -> QuerySet[Version]:
    """Return the person's own versions that need their hand: drafts, change requests."""
    newest = Q(status=Status.DRAFT) | Q(status=Status.CHANGES_REQUESTED)
    return (
        Version.objects.filter(newest, created_by=user)
        .select_related("notebook", "created_by")
        .order_by(F("created_at").desc())
    )


def open_comments(version: Version) -> QuerySet[Comment]:
    """Return the comments that nobody has resolved yet."""
    return version.comments.filter(resolved_at=None).select_related("written_by")
