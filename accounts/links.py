"""The link with which somebody chooses a password, to be handed over in person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse

if TYPE_CHECKING:
    from django.http import HttpRequest

    from accounts.models import User


def password_link(request: HttpRequest, person: User, token: str) -> str:
    """The whole address of the page that takes `token` from `person`, once."""
    path = reverse("accounts:choose-password", args=[person.username, token])
    return request.build_absolute_uri(path)
