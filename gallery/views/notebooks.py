"""A notebook's page, its first upload and its later ones."""

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.policies import require
from gallery.access import can_edit, launch_audience, source_audience
from gallery.fetching import notebook_or_404
from gallery.forms import EntryForm, NotebookForm, VersionForm
from gallery.policies import create_blockers, edit_blockers, signed_entry_blockers
from gallery.presenters import tables_in_words
from gallery.queries import approved_version, visible_versions
from gallery.services import add_version, create_notebook, edit_notebook


def notebook(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what a notebook is for, what it reads, who may launch it, its versions."""
    shown = notebook_or_404(request.user, slug)
    versions = list(visible_versions(request.user, shown).defer("document"))
    approved = approved_version(shown)
    described = approved or next(reversed(versions), None)
    context = {
        "notebook": shown,
        "versions": versions[::-1],
        "approved": approved,
        "described": described,
        "tables": tables_in_words(described) if described else [],
        "launch_audience": launch_audience(shown),
        "source_audience": source_audience(shown),
        "may_edit": can_edit(request.user, shown),
    }
    return render(request, "gallery/notebook.html", context)


def upload(request: HttpRequest) -> HttpResponse:
    """Take a new notebook with its first version."""
    form = NotebookForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        now = timezone.now()
        create = partial(create_notebook, by=request.user, now=now)
        made = form.carry_out(lambda: create(**form.arguments()))
        if made is not None:
            messages.success(request, "Uploaded. Look it through, then submit it.")
            return redirect("gallery:version", made.slug, 1)
    context = {"form": form, "blockers": create_blockers(request.user)}
    return render(request, "gallery/upload.html", context, status=form.status)


def upload_version(request: HttpRequest, slug: str) -> HttpResponse:
    """Take the next version of a notebook."""
    shown = notebook_or_404(request.user, slug)
    form = VersionForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        now = timezone.now()
        add = partial(add_version, notebook=shown, by=request.user, now=now)
        made = form.carry_out(lambda: add(upload=form.upload()))
        if made is not None:
            messages.success(request, "Uploaded. Look it through, then submit it.")
            return redirect("gallery:version", shown.slug, made.number)
    context = {
        "form": form,
        "notebook": shown,
        "blockers": edit_blockers(request.user, shown),
    }
    return render(request, "gallery/upload_version.html", context, status=form.status)


def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """Change what the catalog says of a notebook."""
    shown = notebook_or_404(request.user, slug)
    require(edit_blockers(request.user, shown))
    signed = signed_entry_blockers(shown)
    form = EntryForm(
        request.POST or None, initial=EntryForm.initial_of(shown), signed=bool(signed)
    )
    if form.is_valid():
        now = timezone.now()
        change = partial(edit_notebook, notebook=shown, by=request.user, now=now)
        if form.carry_out(lambda: change(**form.arguments())) is not None:
            messages.success(request, "Saved.")
            return redirect(shown)
    context = {"form": form, "notebook": shown, "blockers": signed}
    return render(request, "gallery/edit.html", context, status=form.status)
