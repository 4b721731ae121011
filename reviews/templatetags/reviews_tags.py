"""Parts of the review that other apps' pages show."""

from django import template

from accounts.permissions import Permission, has_permission
from reviews.queries import waiting_for

register = template.Library()


@register.simple_tag(takes_context=True)
def waiting_count(context: template.Context) -> int | None:
    """Return how many versions wait for the person, or None for who never decides."""
    user = context["user"]
    decides = has_permission(user, Permission.VERSION_REVIEW) or has_permission(
        user, Permission.VERSION_SIGN_OFF
    )
    return waiting_for(user).count() if decides else None
