"""A version's code, its bytes, and how it differs from another version."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.http import content_disposition_header

from gallery.access import launch_audience
from gallery.diff import diff_notebooks
from gallery.fetching import readable_version
from gallery.models import Version
from gallery.presenters import annotate, changes_beside_code, tables_in_words
from gallery.queries import document, last_approved_before, visible_versions
from gallery.services.reading import note_compared, note_downloaded, note_viewed


def version(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show a version's code with its findings, and what was inferred from it."""
    shown = readable_version(request.user, slug, number)
    notebook = document(shown)
    note_viewed(version=shown, by=request.user, now=timezone.now())
    context = {
        "notebook": shown.notebook,
        "version": shown,
        "cells": annotate(notebook, findings=shown.findings),
        "metadata": notebook["metadata"],
        "findings": shown.findings,
        "tables": tables_in_words(shown),
        "launch_audience": launch_audience(shown.notebook),
        "compare_with": _older(request, shown),
    }
    return render(request, "gallery/version.html", context)


def version_ipynb(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Send the stored bytes, exactly those of which the digest speaks."""
    shown = readable_version(request.user, slug, number)
    note_downloaded(version=shown, by=request.user, now=timezone.now())
    name = f"{shown.notebook.slug}-v{shown.number}.ipynb"
    response = HttpResponse(
        bytes(shown.document), content_type="application/x-ipynb+json"
    )
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def diff(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show what changed since another version: by default the last approved one."""
    shown = readable_version(request.user, slug, number)
    old = _older(request, shown)
    if old:
        note_compared(version=shown, other=old, by=request.user, now=timezone.now())
    context = {
        "notebook": shown.notebook,
        "version": shown,
        "old": old,
        "others": visible_versions(request.user, shown.notebook)
        .exclude(pk=shown.pk)
        .defer("document"),
        "cells": diff_notebooks(document(old), document(shown)) if old else [],
        "changes": changes_beside_code(old, shown) if old else [],
    }
    return render(request, "gallery/diff.html", context)


def _older(request: HttpRequest, shown: Version) -> Version | None:
    """Return the version asked for, else the last approved, else the one before."""
    versions = visible_versions(request.user, shown.notebook)
    asked = request.GET.get("from", "")
    if asked:
        if not asked.isascii() or not asked.isdigit():
            raise Http404
        return get_object_or_404(versions, number=int(asked[:9]))
    approved = last_approved_before(shown)
    return approved or versions.filter(number__lt=shown.number).last()
