"""What was done in a live session: each use of a control, in order."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.policies import Blocker, StateBlocker
from gallery.interactive import values_not_kept
from runner.models import Run
from runner.policies import record_blockers, replay_blockers
from runner.presenters import persona_words, rights_of
from runner.queries import recorded_runs
from runner.record_presenters import done, sight_of
from runner.results.record import read_record
from runner.results.replay import (
    NONE_KEPT,
    NOT_KEPT,
    first_missing_step,
    steps_of_session,
)

_PER_PAGE = 50


@require_GET
def record(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """List what its reader did; to auditors without what was set, unless it was a preview."""
    run = get_object_or_404(recorded_runs(request.user), pk=run_id)
    now = timezone.now()
    blockers = record_blockers(request.user, run, now=now)
    context = _about(request, run, blockers)
    if blockers:
        return render(request, "runner/record.html", context, status=_status(blockers))
    events = read_record(run=run, by=request.user, now=now)
    sight = sight_of(request.user, run)
    page = Paginator(events, _PER_PAGE).get_page(request.GET.get("page"))
    context |= {
        "page": page,
        "sight": sight,
        "may_replay": not replay_blockers(request.user, run, now=now),
    }
    context["done"] = [done(entry, sight=sight) for entry in page]
    return render(request, "runner/record.html", context)


@require_GET
def replay(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Frame the page as it was after a step, with the way to other steps."""
    run = get_object_or_404(recorded_runs(request.user), pk=run_id)
    blockers = replay_blockers(request.user, run, now=timezone.now())
    context = _about(request, run, blockers)
    if blockers:
        return render(request, "runner/replay.html", context, status=_status(blockers))
    steps, missing = steps_of_session(run), first_missing_step(run)
    context["rights"] = rights_of(run)
    if missing == 0:
        context["blockers"] = [NONE_KEPT]
        return render(request, "runner/replay.html", context)
    step = _wanted_step(request, steps)
    context |= {"steps": steps, "step": step, "first_missing_step": missing}
    if missing is not None and step >= missing:
        context["blockers"] = [NOT_KEPT]
    return render(request, "runner/replay.html", context)


def _about(
    request: HttpRequest, run: Run, blockers: list[Blocker]
) -> dict[str, object]:
    return {
        "run": run,
        "notebook": run.notebook,
        "persona": persona_words(run),
        "not_kept": values_not_kept(run.version),
        "is_own": run.requested_by_id == request.user.pk,
        "blockers": blockers,
    }


def _status(blockers: list[Blocker]) -> int:
    is_state = all(isinstance(each, StateBlocker) for each in blockers)
    return 409 if is_state else 403


def _wanted_step(request: HttpRequest, steps: int) -> int:
    """Return the step that `?step=` asks for, or the nearest that there is."""
    try:
        wanted = int(request.GET.get("step", "0"))
    except ValueError:
        return 0
    return min(max(wanted, 0), steps)
