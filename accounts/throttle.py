"""Checks a password and counts failures, in PostgreSQL, through django-axes.

Only failures count, per user name and address.  Attempts on one user name take
turns, so that fifty guesses at once are no more than fifty guesses one by one.
"""

from __future__ import annotations

from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth import authenticate
from django.db import connection, transaction
from django.http import HttpRequest

from accounts.models import User

MAX_PASSWORD_CHARS = 1024
#: The address is the web server's to find out; a header about it may be made up.
_FROM_CLIENT = ("REMOTE_ADDR", "HTTP_USER_AGENT")
_ADVISORY_LOCK_CLASS = 0x5167  # "sign": keeps apart from other advisory locks


class WrongPassword(Exception):
    """The password is not right."""


class TooManyAttempts(Exception):
    """Too many wrong passwords; wait before you try again."""


def check_password(
    *, username: str, password: str, request: HttpRequest | None
) -> User:
    """Return the active person whose name and password these are.

    Runs in a transaction of its own, since a failure must be counted whatever the
    caller rolls back: calling it inside a transaction raises RuntimeError.

    Raises: WrongPassword, TooManyAttempts.
    """
    probe = _probe(request)
    with transaction.atomic(durable=True):
        _take_turns(username)
        person = authenticate(
            probe, username=username, password=password[:MAX_PASSWORD_CHARS]
        )
        if isinstance(person, User):
            AxesProxyHandler.reset_attempts(
                username=username,
                ip_address=probe.axes_ip_address,  # type: ignore[attr-defined]  # set by axes
            )
    if isinstance(person, User):
        return person
    if getattr(probe, "axes_locked_out", False):
        raise TooManyAttempts
    raise WrongPassword


def _probe(request: HttpRequest | None) -> HttpRequest:
    """A request with nothing but the client's address: axes stores what it sees."""
    probe = HttpRequest()
    probe.method = "POST"
    if request is not None:
        probe.META = {
            name: request.META[name] for name in _FROM_CLIENT if name in request.META
        }
    return probe


def _take_turns(username: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, hashtext(%s))",
            [_ADVISORY_LOCK_CLASS, username],
        )
