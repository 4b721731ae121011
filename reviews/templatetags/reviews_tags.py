"""Parts of the review that other apps' pages show."""

from typing import Any

from django import template

from accounts.permissions import Permission, has_any_permission
from gallery.access import Audience, can_read_source, launch_audience
from gallery.diff import CellDiff
from gallery.models import Notebook, Version
from gallery.workflow import UNDER_REVIEW, Status
from reviews.approval import verify_signatures
from reviews.policies import (
    access_blockers,
    peer_approvals,
    peers_required,
    review_blockers,
    revoke_blockers,
    sign_off_blockers,
    submit_blockers,
    withdraw_blockers,
)
from reviews.queries import open_comments, waiting_for

register = template.Library()


@register.simple_tag(takes_context=True)
def waiting_count(context: template.Context) -> int | None:
    """Return how many versions wait for the person, or None for who never decides."""
    user = context["user"]
    decides = has_any_permission(
        user, Permission.VERSION_REVIEW, Permission.VERSION_SIGN_OFF
    )
    return waiting_for(user).count() if decides else None


@register.simple_tag(takes_context=True)
def may_change_access(context: template.Context, notebook: Notebook) -> bool:
    """Tell whether the person may narrow the audience at least."""
    return not access_blockers(context["user"], notebook, widens_approved=False)


@register.inclusion_tag("reviews/_signatures.html")
def signatures_of(version: Version) -> dict[str, Any]:
    """List who signed a version, when, and what the signature means."""
    return {"signatures": version.signatures.all()}


@register.inclusion_tag("reviews/_signatures_state.html")
def signatures_state() -> dict[str, Any]:
    """Check every signature and say in words what was found."""
    return {"verdict": verify_signatures()}


@register.inclusion_tag("reviews/_version_links.html", takes_context=True)
def version_links(context: template.Context, version: Version) -> dict[str, Any]:
    """Offer the pages of a version that the person may open."""
    user = context["user"]
    return {
        "version": version,
        "notebook": version.notebook,
        "may_read": can_read_source(user, version),
        "submitted": version.status != Status.DRAFT,
        "may_revoke": not revoke_blockers(user, version),
    }


@register.inclusion_tag("reviews/_version_actions.html", takes_context=True)
def version_actions(context: template.Context, version: Version) -> dict[str, Any]:
    """Say what comes next for a version, and offer it to who may do it."""
    user = context["user"]
    return {
        "request": context["request"],
        "csrf_token": context.get("csrf_token"),
        "version": version,
        "notebook": version.notebook,
        "audience": launch_audience(version.notebook),
        "approvals": peer_approvals(version),
        "approvals_required": peers_required(version.notebook),
        "open_comments": open_comments(version).count(),
        "is_draft": version.status == Status.DRAFT,
        "is_under_review": version.status in UNDER_REVIEW,
        "submit_blockers": submit_blockers(user, version),
        "may_withdraw": not withdraw_blockers(user, version),
        "may_review": not review_blockers(user, version),
        "may_sign_off": not sign_off_blockers(user, version),
        "may_revoke": not revoke_blockers(user, version),
        "may_change_access": not access_blockers(
            user, version.notebook, widens_approved=False
        ),
    }


@register.simple_tag
def audience_of(notebook: Notebook) -> Audience:
    """Return who may launch the notebook."""
    return launch_audience(notebook)


@register.simple_tag
def peers_required_for(notebook: Notebook) -> int:
    """Return how many peers must approve a version of the notebook."""
    return peers_required(notebook)


@register.simple_tag
def changed_cells(cells: list[CellDiff]) -> str:
    """Count a diff's cells in words: `2 cells changed, 1 new`."""
    counted = [
        (sum(1 for cell in cells if cell.kind == kind), words)
        for kind, words in (
            ("changed", "changed"),
            ("added", "new"),
            ("removed", "removed"),
            ("moved", "moved"),
        )
    ]
    told = [f"{number} {words}" for number, words in counted if number]
    return f"cells: {', '.join(told)}" if told else "no cell differs"
