"""The stream that tells a run's page when to look again."""

from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse

from accounts.activity import not_activity
from runner.stream import changes, is_own_run


@not_activity
async def events(request: HttpRequest, run_id: UUID) -> HttpResponseBase:
    """Stream `progress` events, then one `finished` event; they carry no data."""
    user = await request.auser()
    if not await sync_to_async(is_own_run)(run_id, user.pk):
        raise Http404
    response = StreamingHttpResponse(changes(run_id), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response
