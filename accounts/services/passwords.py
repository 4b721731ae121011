"""Passwords: entered again before a signature, changed, chosen the first time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth import password_validation, update_session_auth_hash
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.policies import BadInput, Blocker, FieldError, NotAllowed
from accounts.throttle import TooManyAttempts, WrongPassword, check_password
from audit.log import record

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest


def confirm_password(
    *, user: User, password: str, request: HttpRequest | None = None
) -> None:
    """Make sure that it is `user` who acts now, before something is signed.

    Call it before the transaction of the act, never inside it: a failure must stay
    counted and recorded when the act is rolled back (inside, it raises RuntimeError).

    Raises: WrongPassword, TooManyAttempts.
    """
    try:
        check_password(username=user.username, password=password, request=request)
    except (WrongPassword, TooManyAttempts) as refusal:
        record_refusal(
            "session.password_refused",
            user,
            locked=isinstance(refusal, TooManyAttempts),
            now=timezone.now(),
        )
        raise


def change_password(
    *,
    person: User,
    old: str,
    new: str,
    request: HttpRequest,
    now: datetime,
) -> None:
    """Give `person` the password `new`, and end all their other sessions.

    Raises: WrongPassword, TooManyAttempts, BadInput (field ``new``).
    """
    confirm_password(user=person, password=old, request=request)
    _require_good_password(new, person)
    with transaction.atomic():
        person.set_password(new)
        person.save(update_fields=["password"])
        person.sessions.exclude(session_key=request.session.session_key).delete()
        update_session_auth_hash(request, person)
        request.session.save()
        record("person.password_changed", by=person, at=now, target=person)


def choose_password(*, person: User, token: str, new: str, now: datetime) -> None:
    """Use a link from an operator, once, to choose a password.

    Raises: NotAllowed when the link was used or is too old, BadInput (field ``new``).
    """
    _require_good_password(new, person)
    with transaction.atomic():
        locked = User.objects.select_for_update(no_key=True).get(pk=person.pk)
        if not locked.is_active or not default_token_generator.check_token(
            locked, token
        ):
            raise NotAllowed(
                [
                    Blocker(
                        "link_used",
                        "This link was used already or is too old. "
                        "Ask an operator for a new one.",
                    )
                ]
            )
        locked.set_password(new)
        locked.save(update_fields=["password"])
        locked.sessions.all().delete()
        record("person.password_chosen", by=locked, at=now, target=locked)


@transaction.atomic
def record_refusal(action: str, person: User, *, locked: bool, now: datetime) -> None:
    """Record that a password given as `person`'s was refused; no password is kept."""
    record(action, by=None, at=now, target=person, locked=locked)


def _require_good_password(new: str, person: User) -> None:
    try:
        password_validation.validate_password(new, person)
    except ValidationError as refusal:
        raise BadInput(
            [FieldError("new", "weak_password", text) for text in refusal.messages]
        ) from refusal
