"""What an address that leads nowhere answers: a problem to programs, a page to people."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import close_old_connections, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.defaults import page_not_found

from accounts.problems import CONTENT_TYPE, NOT_FOUND

API_PREFIX = "/api/"


def not_found(request: HttpRequest, exception: Http404) -> HttpResponse:
    """Answer 404 in the form that the caller reads."""
    if request.path.startswith(API_PREFIX):
        return JsonResponse(NOT_FOUND.as_dict(), status=404, content_type=CONTENT_TYPE)
    with _live_connection():
        return page_not_found(request, exception)


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
