"""What a page asks about the session that it was opened in: how long it still lasts."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts import sessions
from accounts.activity import not_activity


@login_not_required
@not_activity
@require_GET
def session_left(request: HttpRequest) -> JsonResponse:
    """Who is signed in, for how many seconds if nothing happens; asking is nothing."""
    return JsonResponse(_left(request))


@require_POST
def stay_signed_in(request: HttpRequest) -> JsonResponse:
    """Be activity, which the middleware has noted by now, and say what is left."""
    return JsonResponse(_left(request))


def _left(request: HttpRequest) -> dict[str, str | int | None]:
    if not request.user.is_authenticated:
        ended = getattr(request, "session_ended", None)
        return {"person": None, "seconds_left": 0, "limit": ended}
    end = sessions.ending(request.session, timezone.now().timestamp())
    return {
        "person": request.user.get_username(),
        "seconds_left": end.seconds_left,
        "limit": end.limit,
    }
