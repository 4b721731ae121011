"""Answers that carry what a notebook made, and refusals in plain words."""

from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.http import content_disposition_header

DOWNLOAD_POLICY = "sandbox; default-src 'none'"


def attachment_response(
    data: bytes, *, filename: str, content_type: str
) -> HttpResponse:
    """Return `data` as a download that no browser opens in place (RFC 6266)."""
    response = HttpResponse(data, content_type=content_type)
    disposition = content_disposition_header(True, safe_filename(filename))
    response["Content-Disposition"] = disposition or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    response["Content-Security-Policy"] = DOWNLOAD_POLICY
    return response


def safe_filename(name: str) -> str:
    """Return `name` without separators, control and format characters, ≤ 120 long."""
    stem, dot, ending = name.rpartition(".")
    if not dot:
        stem, ending = name, ""
    ending = dot + _plain(ending)
    kept = _plain(stem).lstrip(". ")[: 120 - len(ending)].rstrip()
    return (kept or "result") + ending


def _plain(text: str) -> str:
    spaced = (c if c.isprintable() and c not in '\\/:*?"<>|' else " " for c in text)
    return " ".join("".join(spaced).split())


def refusal(status: int, sentence: str) -> HttpResponse:
    """Return a small page without style, link or script that says why not."""
    page = format_html(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="color-scheme" content="light dark"><title>Result</title></head>'
        "<body><p>{}</p></body></html>",
        sentence,
    )
    return HttpResponse(page, status=status, content_type="text/html; charset=utf-8")


def unless_framed(request: HttpRequest, sentence: str) -> HttpResponse | None:
    """Return a refusal for everything but a frame that asks; `sentence` says where to go."""
    if request.method != "GET":
        response = refusal(405, "Results can only be looked at.")
        response["Allow"] = "GET"
        return response
    if request.headers.get("Sec-Fetch-Dest") != "iframe":
        return refusal(403, sentence)
    return None
