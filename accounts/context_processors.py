"""What every page knows about the person in front of it."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from accounts import sessions
from accounts.personas import active_persona

WARN_S = 120


def personas(request: HttpRequest) -> dict[str, Any]:
    """The `personas` held (with `.value` and `.label`) and the value of the active one.

    Nothing is read from the database before a template uses it.
    """
    person = getattr(request, "user", None)
    if person is None or not person.is_authenticated:
        return {"personas": [], "active_persona": None}
    return {
        "personas": SimpleLazyObject(lambda: person.held_personas),
        "active_persona": SimpleLazyObject(lambda: active_persona(request) or ""),
    }


def session_end(request: HttpRequest) -> dict[str, Any]:
    """How the session will end, and how long before that the page should say so."""
    person = getattr(request, "user", None)
    if person is None or not person.is_authenticated:
        return {}
    return {
        "session_end": sessions.ending(request.session, timezone.now().timestamp()),
        "session_warn_s": min(WARN_S, settings.SESSION_IDLE_S // 2),
    }
