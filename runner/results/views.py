"""The pages of the content origin: a result, and one that grows while its run goes on."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from runner.results import headers
from runner.results.document import compose, stylesheet_hash
from runner.results.links import LinkRefused, redeem, redeem_live
from runner.results.live import Watcher, growing_document
from runner.results.responses import refusal, unless_framed
from runner.watching import let_go

NOT_FRAMED = (
    "Results open inside Countersign only. Open the run there, or download the result."
)
GONE = "This link was used or is more than a minute old. Load the run's page again."
GONE_OR_ENDED = "The run has ended, or this link was used. Load the run's page again."
HTML = "text/html; charset=utf-8"


def framed_result(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show a result once, to the frame that asks for it, and to nothing else."""
    refused = unless_framed(request, NOT_FRAMED)
    if refused is not None:
        return refused
    try:
        found = redeem(token, now=timezone.now())
    except LinkRefused as refused_link:
        return refusal(410, str(refused_link) or GONE)
    page = compose(found.html, title=found.run.notebook.title)
    return _under_policy(HttpResponse(page, content_type=HTML))


def live_outputs(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show what a run shows while it runs, as it comes, to the frame that asks."""
    refused = unless_framed(request, NOT_FRAMED)
    if refused is not None:
        return refused
    try:
        link = redeem_live(token, now=timezone.now())
    except LinkRefused:
        return refusal(410, GONE_OR_ENDED)
    watcher = Watcher(
        link.run_id,
        link.person_id,
        link.run.notebook.title,
        theme=request.GET.get("theme", ""),
    )
    let_go()
    response = StreamingHttpResponse(growing_document(watcher), content_type=HTML)
    response["X-Accel-Buffering"] = "no"
    return _under_policy(response)


def _under_policy(response: HttpResponseBase) -> HttpResponseBase:
    response["Content-Security-Policy"] = headers.content_policy(
        application_origin=settings.APPLICATION_ORIGIN, style_hash=stylesheet_hash()
    )
    return response
