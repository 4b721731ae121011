"""What every page knows about the person in front of it."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.personas import active_persona


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
