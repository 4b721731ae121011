"""Requests of people who are signed in, which the middleware has made sure of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest
from rest_framework.exceptions import NotAuthenticated

from accounts.models import User

if TYPE_CHECKING:
    from rest_framework.request import Request


class SignedInRequest(HttpRequest):
    """The type of a page's request: every view wants a person unless it says not."""

    user: User


def signed_in(request: HttpRequest | Request) -> User:
    """The person who calls the API.  Raises NotAuthenticated (401)."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user
