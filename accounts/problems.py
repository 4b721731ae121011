"""Refusals as answers: RFC 9457 `application/problem+json` for the API.

`problem_of` says, for any exception that our services raise, which status and words
it has; the API's exception handler and the pages' middleware both ask it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import OperationalError
from django.http import Http404
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from accounts.personas import PersonaNotHeld
from accounts.policies import (
    BadInput,
    Blocker,
    FieldError,
    NotAllowed,
    NotNow,
    TooLarge,
    TooMany,
    Unavailable,
)
from accounts.throttle import TooManyAttempts, WrongPassword
from audit.transitions import InvalidTransition, StaleState

__all__ = ["BadInput", "FieldError", "Problem", "exception_handler", "problem_of"]

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Problem:
    """One refusal: what RFC 9457 wants, plus our errors or blockers."""

    status: int
    code: str
    title: str
    detail: str
    errors: list[FieldError] = field(default_factory=list)
    blockers: list[Blocker] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "type": f"urn:countersign:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = [vars(error) for error in self.errors]
        if self.blockers:
            body["blockers"] = [vars(blocker) for blocker in self.blockers]
        return body


WRONG_PASSWORD = Problem(
    status.HTTP_403_FORBIDDEN,
    "wrong_password",
    "Wrong password",
    "The password is not right. Nothing was signed or changed.",
)
TOO_MANY_ATTEMPTS = Problem(
    status.HTTP_429_TOO_MANY_REQUESTS,
    "too_many_attempts",
    "Too many wrong passwords",
    "Too many wrong passwords. Wait 15 minutes, then try again.",
)
MOVED_ON = Problem(
    status.HTTP_409_CONFLICT,
    "stale_state",
    "It moved on",
    "Somebody changed this while you were looking. Reload the page and decide anew.",
)
NO_SUCH_STEP = Problem(
    status.HTTP_409_CONFLICT,
    "invalid_transition",
    "Not from here",
    "This step is not possible from the present state. Reload the page to see it.",
)
NOT_FOUND = Problem(
    status.HTTP_404_NOT_FOUND,
    "not_found",
    "Not found",
    "There is nothing here that you may see.",
)
FORBIDDEN = Problem(
    status.HTTP_403_FORBIDDEN, "forbidden", "Not allowed", "You may not do this."
)
TOO_BIG = Problem(
    status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    "too_large",
    "Too large",
    "What was sent is larger than this address takes.",
)
MALFORMED = Problem(
    status.HTTP_400_BAD_REQUEST,
    "malformed",
    "Not understood",
    "What was sent is not in a form that this address takes.",
)
FAILED = Problem(
    status.HTTP_500_INTERNAL_SERVER_ERROR,
    "failed",
    "A fault of ours",
    "Something went wrong on our side. Try again; if it stays, tell an operator.",
)
UNAVAILABLE = Problem(
    status.HTTP_503_SERVICE_UNAVAILABLE,
    "unavailable",
    "Not available now",
    "A part of the service that this needs does not answer. Try again in a minute.",
)
CUT_OFF = replace(
    UNAVAILABLE,
    detail="A part of the service does not answer. Whether what you asked for was done is "
    "not known: in a minute, look before you ask again.",
)
#: SQLSTATEs of a database that is away or going: connection exceptions (class 08), shutdowns
#: and starts (57P01 to 57P03).  Source: PostgreSQL documentation, appendix A.
DATABASE_AWAY = ("08", "57P01", "57P02", "57P03")
FIXED: list[tuple[type[Exception], Problem]] = [
    (WrongPassword, WRONG_PASSWORD),
    (TooManyAttempts, TOO_MANY_ATTEMPTS),
    (StaleState, MOVED_ON),
    (InvalidTransition, NO_SUCH_STEP),
    (Http404, NOT_FOUND),
    (RequestDataTooBig, TOO_BIG),
    (SuspiciousOperation, MALFORMED),
    (BadRequest, MALFORMED),
    (MultiPartParserError, MALFORMED),
    (PermissionDenied, FORBIDDEN),
    (Unavailable, UNAVAILABLE),
]
#: What REST framework itself refuses, by kind; the detail speaks of the occurrence.
TITLES: list[tuple[type[exceptions.APIException], str]] = [
    (exceptions.MethodNotAllowed, "Method not allowed"),
    (exceptions.NotAcceptable, "Nothing acceptable to answer"),
    (exceptions.UnsupportedMediaType, "Media type not taken"),
]


def problem_of(exc: Exception) -> Problem | None:
    """The problem that a refusal is, or None when `exc` is not a refusal."""
    if isinstance(exc, NotNow):
        return Problem(
            status.HTTP_409_CONFLICT,
            "wrong_state",
            "Not in this state",
            str(exc),
            blockers=exc.blockers,
        )
    if isinstance(exc, TooMany):
        return Problem(
            status.HTTP_429_TOO_MANY_REQUESTS,
            "too_many",
            "Too many at one time",
            str(exc),
            blockers=exc.blockers,
        )
    if isinstance(exc, NotAllowed):
        return Problem(
            status.HTTP_403_FORBIDDEN,
            "not_allowed",
            "Not allowed",
            str(exc),
            blockers=exc.blockers,
        )
    if isinstance(exc, BadInput):
        return _bad_input(exc)
    if isinstance(exc, PersonaNotHeld):
        blocker = Blocker("persona_not_held", "You do not hold this persona.")
        return problem_of(NotAllowed([blocker]))
    for kind, problem in FIXED:
        if isinstance(exc, kind):
            return problem
    if isinstance(exc, exceptions.APIException):
        return _from_rest_framework(exc)
    return None


def is_database_away(error: BaseException | None) -> bool:
    """Whether nothing is wrong with what was asked, only the database does not answer.

    libpq gives no SQLSTATE where there was no server to give one.
    """
    if not isinstance(error, OperationalError):
        return False
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    return sqlstate is None or sqlstate.startswith(DATABASE_AWAY)


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer refusals with problem+json; anything else stays an error of ours."""
    problem = problem_of(exc)
    if problem is None:
        return None
    set_rollback()
    return Response(
        problem.as_dict(),
        status=problem.status,
        headers=_headers(exc),
        content_type=CONTENT_TYPE,
    )


def _bad_input(exc: BadInput) -> Problem:
    if isinstance(exc, TooLarge):
        return Problem(
            TOO_BIG.status, TOO_BIG.code, TOO_BIG.title, str(exc), errors=exc.errors
        )
    return Problem(
        status.HTTP_400_BAD_REQUEST,
        "bad_input",
        "Something needs correcting",
        str(exc) or "Something that was sent cannot be used.",
        errors=exc.errors,
    )


def _from_rest_framework(exc: exceptions.APIException) -> Problem:
    if isinstance(exc, exceptions.ValidationError):
        return _bad_input(BadInput(list(_field_errors(exc.get_full_details()))))
    words = str(exc.detail)
    codes = exc.get_codes()
    code = codes if isinstance(codes, str) else exc.default_code
    return Problem(exc.status_code, code, _title_of(exc), words)


def _title_of(exc: exceptions.APIException) -> str:
    """Name the kind of refusal; some defaults are templates for one occurrence."""
    for kind, title in TITLES:
        if isinstance(exc, kind):
            return title
    return str(exc.default_detail)


def _field_errors(details: Any, name: str = "") -> list[FieldError]:
    """Flatten REST framework's nested details; a nested field is ``outer.inner``."""
    if isinstance(details, list):
        return [error for item in details for error in _field_errors(item, name)]
    if set(details) == {"message", "code"} and isinstance(details["code"], str):
        return [FieldError(name, details["code"], str(details["message"]))]
    return [
        error
        for key, value in details.items()
        for error in _field_errors(value, _join(name, str(key)))
    ]


def _join(outer: str, inner: str) -> str:
    inner = "" if inner == "non_field_errors" else inner
    return ".".join(part for part in (outer, inner) if part)


def _headers(exc: Exception) -> dict[str, str]:
    headers = {}
    if getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = str(exc.auth_header)  # type: ignore[attr-defined]  # set by REST framework
    if getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(exc.wait))  # type: ignore[attr-defined]  # Throttled has it
    return headers
