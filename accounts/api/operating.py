"""What the calls of operators share: who may, and refusals in the API's shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.shortcuts import get_object_or_404
from rest_framework.views import APIView

from accounts.authentication import SessionAuthentication
from accounts.models import User
from accounts.permissions import Permission
from accounts.policies import BadInput, FieldError, permission_blockers, require
from accounts.requests import signed_in

if TYPE_CHECKING:
    from django.core.exceptions import ValidationError
    from rest_framework.request import Request


class OperatorView(APIView):
    """A call for operators only: from a session, never from a token."""

    authentication_classes = (SessionAuthentication,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse everybody else before anything is looked up."""
        super().initial(request, *args, **kwargs)
        require(permission_blockers(signed_in(request), Permission.PEOPLE_MANAGE))


def person_or_404(username: str) -> User:
    """The person with this user name, for an operator."""
    return get_object_or_404(User, username=username)


def bad_input(refusal: ValidationError) -> BadInput:
    """What a model refuses, as the refusal that the API answers."""
    return BadInput(
        [
            FieldError(
                "" if name == NON_FIELD_ERRORS else name,
                error.code or "invalid",
                " ".join(error.messages),
            )
            for name, errors in refusal.error_dict.items()
            for error in errors
        ]
    )
