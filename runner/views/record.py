"""What was done in a live session: each use of a control, in order."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from runner.policies import record_blockers
from runner.queries import recorded_runs
from runner.record_presenters import done, sight_of
from runner.results.record import read_record

_PER_PAGE = 50


@require_GET
def record(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """List what its reader did; to auditors without what was set, unless it was a preview."""
    run = get_object_or_404(recorded_runs(request.user), pk=run_id)
    now = timezone.now()
    blockers = record_blockers(request.user, run, now=now)
    context = {
        "run": run,
        "notebook": run.notebook,
        "is_own": run.requested_by_id == request.user.pk,
        "blockers": blockers,
    }
    if blockers:
        return render(request, "runner/record.html", context, status=409)
    events = read_record(run=run, by=request.user, now=now)
    page = Paginator(events, _PER_PAGE).get_page(request.GET.get("page"))
    sight = sight_of(request.user, run)
    context["page"], context["sight"] = page, sight
    context["done"] = [done(entry, sight=sight) for entry in page]
    return render(request, "runner/record.html", context)
