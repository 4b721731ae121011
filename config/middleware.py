"""Headers of the application origin that Django has no setting for."""

from collections.abc import Awaitable, Callable
from typing import cast
from uuid import uuid4

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from config import security_headers
from runner.logs import about_from_here

Handler = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class ApplicationHeadersMiddleware:
    """Deny browser features and other sites' reads; keep pages out of caches.

    What is logged of a request bears an id that nobody outside chose.
    A response that says otherwise itself (static files, downloads) is left alone.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(
        self, request: HttpRequest
    ) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer with the headers added; sync or async as the next handler is."""
        # Not for a block: Django and the web server log the end of the request after it.
        about_from_here(request_id=uuid4().hex)
        if self.is_async:
            return self._answer_later(request)
        return _with_headers(cast("HttpResponseBase", self.get_response(request)))

    async def _answer_later(self, request: HttpRequest) -> HttpResponseBase:
        response = await cast("Awaitable[HttpResponseBase]", self.get_response(request))
        return _with_headers(response)


def _with_headers(response: HttpResponseBase) -> HttpResponseBase:
    for name, value in security_headers.application_headers().items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    return response
