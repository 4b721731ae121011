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
from gallery.models import Version
from gallery.posting import post_from
from gallery.presenters import tables_in_words
from gallery.queries import approved_version
from runner.forms import RunForms
from runner.models import Run, RunKind
from runner.policies import launch_blockers, preview_blockers
from runner.queries import runs_of
from runner.services import (
    VersionReplaced,
    repeat_run,
    request_preview,
    request_run,
)
from runner.workflow import Queue


def launch(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the form of the approved version, and queue a run of it."""
    notebook = notebook_or_404(request.user, slug)
    version = approved_version(notebook)
    blockers = launch_blockers(request.user, notebook, version)
    before = _before(request)
    context: dict[str, Any] = {
        "notebook": notebook,
        "blockers": blockers,
        "before": before,
    }
    if version is None or blockers:
        return render(request, "runner/launch.html", context, status=403)
    forms = RunForms(request, version, kind=RunKind.RUN, initial=_wanted(before))
    if request.method == "POST" and forms.is_valid():
        run = forms.launch.carry_out(
            lambda: request_run(
                notebook=notebook,
                launch=forms.launched(),
                by=request.user,
                now=timezone.now(),
                queue=_queue(request),
            )
        )
        if run is not None:
            return redirect(run)
        version, forms = _with_the_newest(request, version, forms)
    context |= {"forms": forms, "version": version, "tables": tables_in_words(version)}
    return render(request, "runner/launch.html", context, status=forms.status)


def _with_the_newest(
    request: HttpRequest, version: Version, forms: RunForms
) -> tuple[Version, RunForms]:
    """Return the version and forms to show after a refusal: another may be approved."""
    newest = approved_version(version.notebook)
    if newest in (None, version):
        return version, forms
    forms = RunForms(request, newest, kind=RunKind.RUN)
    forms.is_valid()
    return newest, forms


def preview(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show the form of a version under review, and queue a preview of it."""
    version = readable_version(request.user, slug, number)
    initial = _wanted(_before(request))
    forms = RunForms(request, version, kind=RunKind.PREVIEW, initial=initial)
    if request.method == "POST" and forms.is_valid():
        run = forms.launch.carry_out(
            lambda: request_preview(
                version=version,
                launch=forms.launched(),
                by=request.user,
                now=timezone.now(),
                queue=_queue(request),
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

    Where another version is approved by now, or these no longer fit, the form asks
    to look them through.
    """
    before = get_object_or_404(runs_of(request.user), pk=run_id)
    try:
        run = repeat_run(
            before=before,
            by=request.user,
            now=timezone.now(),
            queue=Queue.INTERACTIVE if before.is_live else Queue.PAGE,
        )
    except VersionReplaced:
        return redirect(f"{_form_of(before)}?from={before.pk}")
    except BadInput:
        messages.warning(request, "The version changed since then: look these through.")
        return redirect(f"{_form_of(before)}?from={before.pk}")
    return redirect(run)


def _queue(request: HttpRequest) -> Queue:
    """Return where the run waits: its person asked for a live page, or waits for a result."""
    is_live = request.POST.get("how") == "live"
    return Queue.INTERACTIVE if is_live else Queue.PAGE


def _form_of(run: Run) -> str:
    if run.is_preview:
        return reverse("runner:preview", args=[run.notebook.slug, run.version.number])
    return reverse("runner:launch", args=[run.notebook.slug])


def _before(request: HttpRequest) -> Run | None:
    """Return the own run that `?from=` names, to change some of it."""
    try:
        return (
            runs_of(request.user).filter(pk=UUID(request.GET.get("from", ""))).first()
        )
    except ValueError:
        return None


def _wanted(before: Run | None) -> dict[str, Any]:
    """Return what an earlier run was asked with, as the form starts from it."""
    if before is None:
        return {}
    asked = ("parameters", "persona", "purpose")
    return {name: getattr(before, name) for name in asked}
