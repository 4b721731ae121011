"""The one page of the content origin: a result, inside a frame of the application."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from runner.results import headers
from runner.results.document import compose, stylesheet_hash
from runner.results.links import LinkRefused, redeem
from runner.results.responses import refusal

NOT_FRAMED = (
    "Results open inside Countersign only. Open the run there, or download the result."
)
GONE = "This link was used or is more than a minute old. Load the run's page again."


def framed_result(request: HttpRequest, token: str) -> HttpResponse:
    """Show a result once, to the frame that asks for it, and to nothing else."""
    if request.method != "GET":
        response = refusal(405, "Results can only be looked at.")
        response["Allow"] = "GET"
        return response
    if request.headers.get("Sec-Fetch-Dest") != "iframe":
        return refusal(403, NOT_FRAMED)
    try:
        found = redeem(token, now=timezone.now())
    except LinkRefused:
        return refusal(410, GONE)
    page = compose(found.html, title=found.run.notebook.title)
    response = HttpResponse(page, content_type="text/html; charset=utf-8")
    response["Content-Security-Policy"] = headers.content_policy(
        application_origin=settings.APPLICATION_ORIGIN, style_hash=stylesheet_hash()
    )
    return response
