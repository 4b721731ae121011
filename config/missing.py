"""What an address that leads nowhere answers: a problem to programs, a page to people."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.defaults import page_not_found

from accounts.problems import CONTENT_TYPE, NOT_FOUND

API_PREFIX = "/api/"


def not_found(request: HttpRequest, exception: Http404) -> HttpResponse:
    """Answer 404 in the form that the caller reads."""
    if request.path.startswith(API_PREFIX):
        return JsonResponse(NOT_FOUND.as_dict(), status=404, content_type=CONTENT_TYPE)
    return page_not_found(request, exception)
