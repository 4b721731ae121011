"""Begin and end sessions, and choose the persona of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import auth
from django.db import transaction

from accounts import personas, sessions
from accounts.models import Session, User
from accounts.services.passwords import record_refusal
from accounts.throttle import TooManyAttempts, WrongPassword, check_password
from audit.log import record

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest

MAX_USERNAME_CHARS = 63


def sign_in(
    request: HttpRequest, *, username: str, password: str, now: datetime
) -> User:
    """Begin a session for the person with this name and password.

    Raises: WrongPassword, TooManyAttempts.
    """
    name = username.strip().lower()
    try:
        if len(name) > MAX_USERNAME_CHARS or "\0" in name + password:
            raise WrongPassword
        person = check_password(username=name, password=password, request=request)
    except (WrongPassword, TooManyAttempts) as refusal:
        _record_failure(name, locked=isinstance(refusal, TooManyAttempts), now=now)
        raise
    _begin(request, person, now)
    return person


@transaction.atomic
def _begin(request: HttpRequest, person: User, now: datetime) -> None:
    auth.login(request, person, backend="django.contrib.auth.backends.ModelBackend")
    request.session[sessions.SIGNED_IN_AT] = now.timestamp()
    request.session[sessions.LAST_ACTIVE_AT] = now.timestamp()
    request.session[sessions.DEVICE] = device(request)
    request.session.save()
    record(
        "session.signed_in",
        by=person,
        at=now,
        target=person,
        address=request.META.get("REMOTE_ADDR", ""),
    )


def _record_failure(username: str, *, locked: bool, now: datetime) -> None:
    """Record a failure on a known name; others may be passwords typed too early."""
    person = User.objects.filter(username=username[:MAX_USERNAME_CHARS]).first()
    if person is not None:
        record_refusal("session.sign_in_refused", person, locked=locked, now=now)


@transaction.atomic
def sign_out(request: HttpRequest, *, now: datetime) -> None:
    """End this session."""
    person = request.user
    auth.logout(request)
    if isinstance(person, User):
        record("session.signed_out", by=person, at=now, target=person)


@transaction.atomic
def expire_session(request: HttpRequest, *, reason: str, now: datetime) -> None:
    """End this session because it is too old; `reason` is ``idle`` or ``absolute``.

    Of several requests that notice at once, one records it.
    """
    person = request.user
    ended, _ = Session.objects.filter(pk=request.session.session_key).delete()
    auth.logout(request)
    if ended and isinstance(person, User):
        record("session.expired", by=None, at=now, target=person, reason=reason)


@transaction.atomic
def end_session(*, session: Session, by: User, now: datetime) -> None:
    """End one of one's own sessions, for example on a lost phone."""
    ended, _ = Session.objects.filter(pk=session.pk, person=by).delete()
    if ended:
        record("session.ended", by=by, at=now, target=by, device=session.device)


@transaction.atomic
def act_as(request: HttpRequest, *, persona: str, now: datetime) -> None:
    """Act as `persona` from now on, in this session.  Raises PersonaNotHeld."""
    was = personas.active_persona(request)
    personas.set_active_persona(request, persona)
    person = request.user
    if isinstance(person, User) and was != persona:
        record(
            "session.persona_changed",
            by=person,
            at=now,
            target=person,
            persona=persona,
            was=was,
        )


def device(request: HttpRequest) -> str:
    """The browser as it names itself, cut to 200 characters."""
    return str(request.META.get("HTTP_USER_AGENT", ""))[:200]
