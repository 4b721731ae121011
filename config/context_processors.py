"""What every page knows about this installation."""

from django.conf import settings
from django.http import HttpRequest


def installation(request: HttpRequest) -> dict[str, bool]:
    """Say whether this is the demo and whether the sandbox is degraded."""
    return {
        "is_demo": settings.DEMO,
        "sandbox_degraded": settings.SANDBOX != "required",
    }
