"""Answers that take their time: `Prefer: wait=N`, and a run's events as a stream.

Both are async views around an ordinary API view, which decides who may; neither
holds a database connection while it waits.
"""

import contextlib
import functools
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.activity import not_activity
from accounts.models import Session
from accounts.negotiation import OneAnswer
from runner.api.runs import own_run_or_404, run_as_dict
from runner.line import place_of
from runner.models import Run
from runner.serializers import RunCellSerializer, held_back_as_dict
from runner.watching import ended, let_go, watch
from runner.workflow import FINAL

AsyncView = Callable[..., Awaitable[HttpResponseBase]]

logger = logging.getLogger(__name__)

LONGEST_WAIT_S = 60
#: How long a stream lives (seconds); the client then asks for another.
STREAM_LIFETIME_S = 300.0
#: A comment is sent after this long without news, so that nothing cuts the line.
KEEP_ALIVE_S = 15.0
_WAIT = re.compile(r'(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?\s*(?:$|[,;])', re.IGNORECASE)


def wait_s(request: HttpRequest) -> int:
    """Return the seconds that `Prefer: wait=N` asks for (RFC 7240), at most 60."""
    asked = _WAIT.search(request.headers.get("Prefer", ""))
    return min(int(asked.group(1)), LONGEST_WAIT_S) if asked else 0


def preferring_to_wait(view: Callable[..., Any]) -> AsyncView:
    """Answer 200 with the finished run if it ends in the time that the caller gives.

    A run that was taken is said so whatever happens to the waiting: who hears that it
    failed would ask for another.
    """

    @functools.wraps(view)
    async def answer(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        response = await sync_to_async(view)(request, **kwargs)
        within_s = wait_s(request)
        if response.status_code != status.HTTP_202_ACCEPTED or not within_s:
            return response
        await sync_to_async(let_go)()
        run_id = UUID(str(response.data["id"]))
        try:
            is_over = await ended(run_id, within_s=within_s)
            response.data = await sync_to_async(_as_it_stands)(run_id)
        except DatabaseError:
            logger.exception("run.wait_cut_off run_id=%s", run_id)
            return response
        if is_over:
            response.status_code = status.HTTP_200_OK
        response["Preference-Applied"] = f"wait={within_s}"
        return response

    return answer


def _as_it_stands(run_id: UUID) -> dict[str, Any]:
    run = Run.objects.select_related("notebook", "version", "requested_by").get(
        pk=run_id
    )
    return run_as_dict(run)


@not_activity
class RunEventsView(APIView):
    """A run's progress as server-sent events."""

    content_negotiation_class = OneAnswer

    @extend_schema(
        responses={
            (200, "text/event-stream"): OpenApiResponse(
                OpenApiTypes.STR,
                description="`progress` events with `{status, place_in_queue, held_back, "
                "cells_done, cells_total, elapsed_s, cells}`, then one `finished` event with the same.",
            )
        }
    )
    def get(self, request: Request, run_id: UUID) -> Response:
        """Stream the run's progress until it ends or the caller signs out."""
        own_run_or_404(request, run_id)
        return Response()


def streaming(view: Callable[..., Any]) -> AsyncView:
    """Turn the plain yes of `view` into a stream of the run's events."""

    @functools.wraps(view)
    async def answer(request: HttpRequest, run_id: UUID) -> HttpResponseBase:
        response = await sync_to_async(view)(request, run_id=run_id)
        if response.status_code != status.HTTP_200_OK:
            return response
        viewer = await sync_to_async(_viewer)(request)
        await sync_to_async(let_go)()
        stream = StreamingHttpResponse(
            run_events(run_id, viewer), content_type="text/event-stream"
        )
        stream["Cache-Control"] = "no-store"
        stream["X-Accel-Buffering"] = "no"
        return stream

    return answer


@dataclass(frozen=True)
class Viewer:
    """Who follows a run, and in which session."""

    person_id: int
    session_key: str


def _viewer(request: HttpRequest) -> Viewer:
    return Viewer(request.user.pk, request.session.session_key or "")


async def run_events(run_id: UUID, viewer: Viewer) -> AsyncIterator[bytes]:
    """Yield `progress` events and the last one, `finished`; end when signed out."""
    look = functools.partial(_progress, run_id, viewer)
    told: dict[str, Any] | None = None
    told_at = timezone.now()
    async with contextlib.aclosing(
        watch(run_id, look, lifetime_s=STREAM_LIFETIME_S)
    ) as looks:
        async for found in looks:
            if found is None:
                return
            if found["status"] in FINAL:
                yield _event("finished", found)
                return
            now = timezone.now()
            if _news(found) != _news(told):
                yield _event("progress", found)
                told, told_at = found, now
            elif (now - told_at).total_seconds() >= KEEP_ALIVE_S:
                yield b": still here\n\n"
                told_at = now


def _news(found: dict[str, Any] | None) -> dict[str, Any]:
    """Return all but the clock, which changes without anything having happened."""
    return {name: found[name] for name in found if name != "elapsed_s"} if found else {}


def _event(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def _progress(run_id: UUID, viewer: Viewer) -> dict[str, Any] | None:
    """Return what the stream tells, or None when the viewer may follow no longer."""
    now = timezone.now()
    if not _is_signed_in(viewer, now=now):
        return None
    run = Run.objects.filter(pk=run_id, requested_by=viewer.person_id).first()
    if run is None:
        return None
    place = place_of(run)
    begun_at = run.started_at or run.queued_at
    elapsed = (run.finished_at or now) - begun_at
    return {
        "status": run.status,
        "place_in_queue": place.number if place else None,
        "held_back": held_back_as_dict(place),
        "cells_done": run.cells_done,
        "cells_total": run.cells_total,
        "elapsed_s": round(max(elapsed.total_seconds(), 0.0), 1),
        "cells": RunCellSerializer(run.cells.all(), many=True).data,
    }


def _is_signed_in(viewer: Viewer, *, now: datetime) -> bool:
    """Tell whether the session still stands: not signed out, not idle, not closed."""
    return Session.objects.filter(
        session_key=viewer.session_key,
        person=viewer.person_id,
        person__is_active=True,
        expire_date__gt=now,
        last_active_at__gt=now - timedelta(seconds=settings.SESSION_IDLE_S),
    ).exists()
