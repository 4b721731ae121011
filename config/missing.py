"""What an address that leads nowhere, or fails, answers: a problem to programs, a page to people."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import (
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
)
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views.defaults import page_not_found, server_error

from accounts.problems import CONTENT_TYPE, FAILED, NOT_FOUND, UNAVAILABLE, Problem

API_PREFIX = "/api/"
#: SQLSTATEs of a server that is away, going or full: connection exceptions (class 08),
#: shutdowns and starts (57P01 to 57P03), no connection left (53300), none allowed (55000).
#: Source: PostgreSQL documentation, appendix A.
DATABASE_AWAY = ("08", "57P01", "57P02", "57P03", "53300", "55000")


def not_found(request: HttpRequest, exception: Http404) -> HttpResponse:
    """Answer 404 in the form that the caller reads."""
    if request.path.startswith(API_PREFIX):
        return _answer(NOT_FOUND)
    with _live_connection():
        return page_not_found(request, exception)


def failed(request: HttpRequest) -> HttpResponse:
    """Answer 500, or 503 while the database is away, in the form that the caller reads.

    What went wrong is in the log only.  Django calls this while it handles the exception.
    """
    away = _is_database_away(sys.exception())
    if request.path.startswith(API_PREFIX):
        return _answer(UNAVAILABLE if away else FAILED)
    if away:
        return HttpResponse(render_to_string("503.html"), status=UNAVAILABLE.status)
    return server_error(request)


def _is_database_away(error: BaseException | None) -> bool:
    """Whether nothing is wrong with what was asked, only nobody answers it.

    libpq gives no SQLSTATE where it found no server to give one.
    """
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    return sqlstate is None or sqlstate.startswith(DATABASE_AWAY)


def _answer(problem: Problem) -> JsonResponse:
    return JsonResponse(
        problem.as_dict(), status=problem.status, content_type=CONTENT_TYPE
    )


@contextmanager
def _live_connection() -> Iterator[None]:
    """Leave this thread no connection of an earlier page, nor one to a later page.

    Behind ASGI, Django answers exceptions in threads that no request belongs to
    (`django.core.handlers.exception`), so nothing there closes a connection, or notices
    that the database has cut it.  Within a transaction the connection is the caller's.
    """
    if connection.in_atomic_block:
        yield
        return
    close_old_connections()
    try:
        yield
    finally:
        close_old_connections()
