"""Keep the two origins apart by the exact Host header, before anything else runs."""

import logging
from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.request import split_domain_port
from django.http.response import HttpResponseBase
from django.urls import resolve

from accounts.problems import is_database_away
from runner.results import headers
from runner.results.responses import refusal

logger = logging.getLogger(__name__)

CONTENT_URLCONF = "config.content_urls"
#: Public files, the same for everybody.
FILES = "/assets/"
Handler = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class ContentOriginMiddleware:
    """Answer the content host here and now; pass everything else on.

    It stands first: on the content host no session, sign-in, CSRF token or other
    middleware exists, so no cookie is read or set there, whatever a later
    middleware does.  The application's addresses do not exist there, and the content
    origin's do not exist on the application host.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.host = headers.authority(settings.CONTENT_ORIGIN)
        self.name = split_domain_port(self.host)[0]
        secure = settings.CONTENT_ORIGIN.startswith("https://")
        self.headers = headers.content_headers(secure=secure)
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(
        self, request: HttpRequest
    ) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer, or hand on; sync or async as the next handler is."""
        if not self._is_content(request):
            return self.get_response(request)
        if self.is_async and request.path_info.startswith(FILES):
            # They ask no database; a page loads a hundred, and one thread would be their queue.
            return self._answer_here(request)
        if self.is_async:
            return cast(
                "Awaitable[HttpResponseBase]",
                sync_to_async(self._answer, thread_sensitive=True)(request),
            )
        return self._answer(request)

    async def _answer_here(self, request: HttpRequest) -> HttpResponseBase:
        return self._answer(request)

    def _is_content(self, request: HttpRequest) -> bool:
        """Is the host's name the content origin's, whatever the port or spelling?"""
        name = split_domain_port(request.get_host())[0]
        return name == self.name

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        response = self._respond(request)
        for name, value in self.headers.items():
            response.headers.setdefault(name, value)
        if "Content-Security-Policy" not in response:
            response["Content-Security-Policy"] = headers.content_policy(
                application_origin=settings.APPLICATION_ORIGIN
            )
        return response

    def _respond(self, request: HttpRequest) -> HttpResponseBase:
        if request.get_host() != self.host:
            return refusal(421, "This address has another name or port.")
        request.urlconf = CONTENT_URLCONF
        try:
            match = resolve(request.path_info, CONTENT_URLCONF)
            _forget_path(request)
            return cast(
                "HttpResponseBase", match.func(request, *match.args, **match.kwargs)
            )
        except Http404:
            _forget_path(request)
            return refusal(404, "There is nothing at this address.")
        except Exception as error:
            # Whatever it was, the ordinary error page belongs to the application's
            # origin and must not appear on this one.
            logger.exception("A request to the content origin failed")
            if is_database_away(error):
                return refusal(503, "This result cannot be shown now. Try again soon.")
            return refusal(500, "This result could not be shown. Try again.")


def _forget_path(request: HttpRequest) -> None:
    """Take the token out of the path, which Django logs with every refusal."""
    if request.path_info.startswith(FILES):
        return  # the same for everybody
    kind = "live" if request.path_info.startswith("/live/") else "results"
    request.path = request.path_info = f"/{kind}/[token]/"
    request.META["PATH_INFO"] = request.path
