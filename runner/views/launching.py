"""Ask for a run on real data, or for a preview on invented people."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.policies import BadInput
from gallery.fetching import notebook_or_404, readable_version
from gallery.posting import post_from
from gallery.presenters import tables_in_words
from gallery.queries import approved_version
from runner.forms import RunForms
from runner.models import Run, RunKind
from runner.policies import launch_blockers, preview_blockers
from runner.queries import runs_of
from runner.services import Launch, request_preview, request_run


def launch(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the form of the approved version, and queue a run of it."""
    notebook = notebook_or_404(request.user, slug)
    version = approved_version(notebook)
    blockers = launch_blockers(request.user, notebook, version)
    context: dict[str, Any] = {"notebook": notebook, "blockers": blockers}
    if version is None or blockers:
        return render(request, "runner/launch.html", context, status=403)
    initial = _as_before(request)
    forms = RunForms(request, version, kind=RunKind.RUN, initial=initial)
    if request.method == "POST" and forms.is_valid():
        run = forms.launch.carry_out(
            lambda: request_run(
                notebook=notebook,
                launch=forms.launched(),
                by=request.user,
                now=timezone.now(),
            )
        )
        if run is not None:
            return redirect(run)
    context |= {"forms": forms, "version": version, "tables": tables_in_words(version)}
    return render(request, "runner/launch.html", context, status=forms.status)


def preview(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show the form of a version under review, and queue a preview of it."""
    version = readable_version(request.user, slug, number)
    initial = _as_before(request)
    forms = RunForms(request, version, kind=RunKind.PREVIEW, initial=initial)
    if request.method == "POST" and forms.is_valid():
        run = forms.launch.carry_out(
            lambda: request_preview(
                version=version,
                launch=forms.launched(),
                by=request.user,
                now=timezone.now(),
            )
        )
        if run is not None:
            return redirect(run)
    context = {
        "forms": forms,
        "version": version,
        "notebook": version.notebook,
        "blockers": preview_blockers(request.user, version),
    }
    return render(request, "runner/preview.html", context, status=forms.status)


@post_from("runner:run")
def repeat(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Ask again with the same parameters, persona and purpose.

    Where these no longer fit the approved version, the form asks for new ones.
    """
    before = get_object_or_404(runs_of(request.user), pk=run_id)
    try:
        run = _request_again(before, request)
    except BadInput:
        messages.warning(request, "The version changed since then: look these through.")
        return redirect(f"{_form_of(before)}?from={before.pk}")
    return redirect(run)


def _request_again(before: Run, request: HttpRequest) -> Run:
    launch = Launch(before.parameters, before.persona, before.purpose)
    asker = {"launch": launch, "by": request.user, "now": timezone.now()}
    if before.is_preview:
        return request_preview(version=before.version, **asker)
    return request_run(notebook=before.notebook, **asker)


def _form_of(run: Run) -> str:
    if run.is_preview:
        return reverse("runner:preview", args=[run.notebook.slug, run.version.number])
    return reverse("runner:launch", args=[run.notebook.slug])


def _as_before(request: HttpRequest) -> dict[str, Any]:
    """Return what `?from=` an own run was asked with, to change some of it."""
    try:
        before = runs_of(request.user).filter(pk=UUID(request.GET.get("from", "")))
    except ValueError:
        return {}
    return next(iter(before.values("parameters", "persona", "purpose")), {})
