"""What an address that leads nowhere answers: a problem to programs, a page to people."""

from django.db import close_old_connections
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.defaults import page_not_found

from accounts.problems import CONTENT_TYPE, NOT_FOUND

API_PREFIX = "/api/"


def not_found(request: HttpRequest, exception: Http404) -> HttpResponse:
    """Answer 404 in the form that the caller reads.

    Django renders this page in a thread of its own, whose connection no request
    closes: a connection that the database has cut since must not be used again.
    """
    close_old_connections()
    try:
        return _answer(request, exception)
    finally:
        close_old_connections()


def _answer(request: HttpRequest, exception: Http404) -> HttpResponse:
    if request.path.startswith(API_PREFIX):
        return JsonResponse(NOT_FOUND.as_dict(), status=404, content_type=CONTENT_TYPE)
    return page_not_found(request, exception)
