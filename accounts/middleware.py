"""Who may come in: sessions that end, sign-in by default, refusals as pages.

The classes use Django's hooks only, so that they also work around async views
without holding a thread while those wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.deprecation import MiddlewareMixin

from accounts import sessions
from accounts.activity import is_activity
from accounts.problems import Problem, problem_of
from accounts.returning import NEXT, safe_path
from accounts.services import expire_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

PAGES = {
    400: "400.html",
    403: "403.html",
    409: "409.html",
    413: "413.html",
    429: "429.html",
    503: "503.html",
}


class IdleLogoffMiddleware(MiddlewareMixin):
    """Ends sessions: idle for SESSION_IDLE_S, or older than SESSION_ABSOLUTE_S."""

    def process_request(self, request: HttpRequest) -> None:
        if not request.user.is_authenticated:
            return
        now = timezone.now()
        ending = sessions.ending(request.session, now.timestamp())
        if ending.is_over:
            expire_session(request, reason=ending.limit, now=now)
            request.session_ended = ending.limit  # type: ignore[attr-defined]  # ours

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        if not request.user.is_authenticated or not is_activity(view):
            return
        now_s = timezone.now().timestamp()
        if now_s - request.session[sessions.LAST_ACTIVE_AT] >= sessions.TOUCH_EVERY_S:
            request.session[sessions.LAST_ACTIVE_AT] = now_s


class RememberedRightsMiddleware(MiddlewareMixin):
    """Looks a reader's rights up once per page; whatever may write asks each time."""

    def process_request(self, request: HttpRequest) -> None:
        if request.method in {"GET", "HEAD"} and request.user.is_authenticated:
            request.user.remember_rights()


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Every view wants a signed-in person unless it says `login_not_required`.

    Signing in leads back to where the person was: for what only answers to a form,
    the page that held the form.  Scripts get a plain 401, htmx is told to move.
    """

    def handle_no_permission(  # type: ignore[override]  # not only redirects
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponse:
        if request.headers.get("HX-Request"):
            page = request.headers.get("HX-Current-URL", "")
            answer = HttpResponse(status=401)
            answer["HX-Redirect"] = _sign_in_address(request, page)
            return answer
        if not request.accepts("text/html"):
            return HttpResponse(status=401)
        here = request.get_full_path()
        if request.method not in {"GET", "HEAD"}:
            here = request.headers.get("Referer", "")
        return redirect(_sign_in_address(request, here))


def _sign_in_address(request: HttpRequest, back_to: str) -> str:
    query = {}
    if path := safe_path(request, back_to):
        query[NEXT] = path
    if reason := getattr(request, "session_ended", None):
        query["ended"] = reason
    address = reverse(settings.LOGIN_URL)
    return f"{address}?{urlencode(query)}" if query else address


class RefusalPagesMiddleware(MiddlewareMixin):
    """Answers a service's refusal with a page that says why and what to do."""

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        problem = problem_of(exception)
        if problem is None or problem.status == 404:
            return None
        return refusal_page(request, problem)


def refusal_page(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The page for a refusal, with its reasons and the way back."""
    return render(
        request,
        PAGES.get(problem.status, "403.html"),
        {
            "blockers": problem.blockers,
            "reason": problem.detail,
            "reload_url": safe_path(request, request.headers.get("Referer", "")),
        },
        status=problem.status,
    )
