"""Pages for auditors: the log in sentences, its verification, its export."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from accounts.permissions import Permission
from accounts.policies import permission_blockers, require
from accounts.requests import SignedInRequest
from audit import services
from audit.forms import EventFilterForm
from audit.presenters import REGISTRY, sentence
from audit.queries import chain_state, events_matching

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit.models import Event

PER_PAGE = 50
KINDS = sorted({action.split(".")[0] for action in REGISTRY})


@require_GET
def events_page(request: SignedInRequest) -> HttpResponse:
    """The log, newest first, as sentences; looking at it is recorded first."""
    form = EventFilterForm(request.GET)
    chosen = form.chosen()
    services.open_log(chosen=chosen, by=request.user, now=timezone.now())
    page = Paginator(events_matching(chosen), PER_PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "form": form,
        "kinds": KINDS,
        "is_filtered": bool(chosen.words()),
        "page": page,
        "days": _by_day(page),
        "state": chain_state(),
        "export_limit": services.EXPORT_LIMIT,
    }
    return render(request, "audit/events.html", context)


@require_http_methods(["GET", "POST"])
def verify_page(request: SignedInRequest) -> HttpResponse:
    """Check the whole chain on request, and say in words what was found."""
    require(permission_blockers(request.user, Permission.AUDIT_READ))
    verdict = None
    if request.method == "POST":
        verdict = services.verify(by=request.user, now=timezone.now())
    context = {"verdict": verdict, "state": chain_state()}
    return render(request, "audit/verify.html", context)


@require_GET
def export(request: SignedInRequest) -> HttpResponse:
    """The filtered log as JSON lines, oldest first, for `verify_audit --file`."""
    chosen = EventFilterForm(request.GET).chosen()
    try:
        lines = services.take_copy(chosen=chosen, by=request.user, now=timezone.now())
    except services.TooManyEvents as refusal:
        context = {"count": refusal.count, "limit": services.EXPORT_LIMIT}
        return render(request, "audit/too_many.html", context, status=400)
    return HttpResponse(
        "".join(lines),
        content_type="application/x-ndjson",
        headers={"Content-Disposition": 'attachment; filename="audit-events.jsonl"'},
    )


def _by_day(events: Iterable[Event]) -> list[tuple[object, list[tuple[Event, str]]]]:
    return [
        (day, [(event, sentence(event)) for event in same_day])
        for day, same_day in groupby(events, key=lambda event: event.at.date())
    ]
