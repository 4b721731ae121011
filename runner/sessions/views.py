"""What the content origin answers for live sessions: the page, its files, and its kernel in two words.

The socket is no view; it is `runner.sessions.socket`.
"""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.http import http_date

from gallery.arranged import as_signed
from gallery.queries import document
from runner.models import ContentLink, Run
from runner.parameters.inject import inject
from runner.results.links import LinkRefused, redeem_session
from runner.results.responses import refusal, unless_framed
from runner.sessions import assets
from runner.sessions.page import page_policy, render_page
from runner.sessions.tokens import Channel, ChannelRefused, make_channel, read_channel

NOT_FRAMED = "Live notebooks open inside Countersign only. Open the run there."
GONE = (
    "The session has ended, or this link was used or is more than a minute old. "
    "Load the run's page again."
)
NOT_INSTALLED = (
    "What this notebook's page needs is not installed here. Tell an operator that the "
    "environment “%s” is missing on the web server."
)
HTML = "text/html; charset=utf-8"


def session_page(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show a live session's page once, to the frame that asks for it."""
    refused = unless_framed(request, NOT_FRAMED)
    if refused is not None:
        return refused
    try:
        link = redeem_session(token, now=timezone.now())
    except LinkRefused:
        return refusal(HTTPStatus.GONE, GONE)
    try:
        return _page(link, theme=request.GET.get("theme", ""))
    except assets.MissingAssets:
        sentence = NOT_INSTALLED % link.run.version.environment
        return refusal(HTTPStatus.SERVICE_UNAVAILABLE, sentence)


def _page(link: ContentLink, *, theme: str) -> HttpResponse:
    run = link.run
    channel = make_channel(Channel(run.pk, link.person_id, link.sign_in))
    base_url = f"{settings.CONTENT_ORIGIN}/live/{channel}/"
    page = render_page(
        title=run.notebook.title,
        base_url=base_url,
        kernel_id=run.pk.hex,
        kernel_name=run.version.kernel_name,
        environment=run.version.environment,
        environment_lock_sha256=run.version.environment_lock_sha256,
        notebook=as_signed(run.version, _executed(run)),
        theme=theme,
    )
    response = HttpResponse(page, content_type=HTML)
    response["Content-Security-Policy"] = page_policy(
        base_url=base_url, kernel_id=run.pk.hex
    )
    return response


def _executed(run: Run) -> dict[str, Any]:
    """Return the notebook as it is executed, so that indices of cells mean the same."""
    notebook = document(run.version)
    if run.injected_source:
        notebook = inject(notebook, run.injected_source)
    return notebook


def kernel_model(request: HttpRequest, token: str, kernel: str) -> HttpResponseBase:
    """Say that the session's kernel is there, or that it is no more.

    The page's origin is opaque, which browsers call `null` when they ask.
    """
    if request.method != "GET":
        return _not_allowed("GET")
    run = _run_of(token, kernel)
    model = {
        "id": run.pk.hex,
        "name": run.version.kernel_name,
        "last_activity": http_date((run.started_at or run.queued_at).timestamp()),
        "execution_state": "dead" if run.is_final else "busy",
        "connections": 1,
    }
    return JsonResponse(model, headers={"Access-Control-Allow-Origin": "null"})


def shutdown(request: HttpRequest, token: str, kernel: str) -> HttpResponseBase:
    """Hear that a page is left, and do nothing: it may have been loaded again."""
    if request.method != "POST":
        return _not_allowed("POST")
    _run_of(token, kernel)
    return HttpResponse(
        status=HTTPStatus.NO_CONTENT, headers={"Access-Control-Allow-Origin": "null"}
    )


def asset(request: HttpRequest, name: str) -> HttpResponseBase:
    """Answer with one of the files that pages load."""
    file = assets.assets().find(assets.PREFIX + name)
    if file is None:
        raise Http404
    return assets.answer(file, request)


def _run_of(token: str, kernel: str) -> Run:
    """Return the live session that a token is for.  Raises Http404 for any other."""
    try:
        channel = read_channel(token)
    except ChannelRefused as error:
        raise Http404 from error
    mine = Run.objects.select_related("version").filter(
        pk=channel.run_id, requested_by=channel.person_id
    )
    run = mine.first() if channel.run_id.hex == kernel else None
    if run is None or not run.is_live:
        raise Http404
    return run


def _not_allowed(method: str) -> HttpResponse:
    response = refusal(HTTPStatus.METHOD_NOT_ALLOWED, "This is not done here.")
    response["Allow"] = method
    return response
