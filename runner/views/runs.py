"""A person's runs, and one of them: its progress, then its result."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.activity import not_activity
from gallery.access import can_edit, visible_to
from gallery.posting import post_from
from gallery.queries import approved_version
from runner.line import place_of, places_of
from runner.models import Run
from runner.policies import cancel_blockers, launch_blockers, result_blockers
from runner.presenters import rights_of, steps_of, took_ms
from runner.queries import runs_of
from runner.services import cancel_run

_PER_PAGE = 25


def runs(request: HttpRequest) -> HttpResponse:
    """Show the person's own runs, newest first."""
    page = Paginator(runs_of(request.user), _PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request, "runner/runs.html", {"page": page, "places": places_of(page)}
    )


def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show how far a run has come; once it has ended, its result."""
    about = _about(request, run_id)
    seen = visible_to(request.user).filter(pk=about["notebook"].pk)
    context = {**about, "sees_notebook": seen.exists()}
    return render(request, "runner/run.html", context)


@not_activity
def progress(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Return the part of the run's page that changes, for htmx."""
    return render(request, "runner/_progress.html", _about(request, run_id))


def frame(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Return the frame with a result, for pages that show it on demand."""
    shown = get_object_or_404(runs_of(request.user), pk=run_id)
    return render(
        request, "runner/frame.html", {"run": shown, "rights": rights_of(shown)}
    )


@post_from("runner:run")
def cancel(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Stop a run."""
    shown = get_object_or_404(runs_of(request.user), pk=run_id)
    cancel_run(run=shown, by=request.user, now=timezone.now())
    what = "live page is being ended" if shown.is_live else "run is being stopped"
    messages.info(request, f"The {what}.")
    return redirect(shown)


def _about(request: HttpRequest, run_id: UUID) -> dict[str, Any]:
    shown: Run = get_object_or_404(runs_of(request.user), pk=run_id)
    steps = steps_of(shown)
    may_repeat = shown.is_preview or not launch_blockers(
        request.user, shown.notebook, approved_version(shown.notebook)
    )
    return {
        "run": shown,
        "place": place_of(shown),
        "notebook": shown.notebook,
        "version": shown.version,
        "steps": steps,
        "took_ms": took_ms(shown),
        "steps_done": sum(1 for step in steps if step.state in {"done", "failed"}),
        "rights": rights_of(shown),
        "may_cancel": not cancel_blockers(request.user, shown),
        "result_blockers": result_blockers(request.user, shown),
        "may_repeat": may_repeat,
        "is_author": can_edit(request.user, shown.notebook),
        "live_idle_minutes": settings.LIVE_IDLE_S // 60,
    }
