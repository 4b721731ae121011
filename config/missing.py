"""What an address that leads nowhere, or fails, answers: a problem to programs, a page to people."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import close_old_connections, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views.defaults import page_not_found, server_error

from accounts.problems import (
    CONTENT_TYPE,
    CUT_OFF,
    FAILED,
    NOT_FOUND,
    UNAVAILABLE,
    Problem,
    is_database_away,
)

API_PREFIX = "/api/"
READING = {"GET", "HEAD", "OPTIONS"}


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
    away = is_database_away(sys.exception())
    unavailable = UNAVAILABLE if request.method in READING else CUT_OFF
    if request.path.startswith(API_PREFIX):
        return _answer(unavailable if away else FAILED)
    if away:
        page = render_to_string("503.html", {"cut_off": unavailable is CUT_OFF})
        return HttpResponse(page, status=unavailable.status)
    return server_error(request)


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
