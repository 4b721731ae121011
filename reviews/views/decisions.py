"""The two pages on which a version is decided: peer review and sign-off."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from gallery.access import source_audience
from gallery.diff import diff_notebooks
from gallery.fetching import readable_version
from gallery.models import Version
from gallery.presenters import annotate, changes_beside_code, tables_in_words
from gallery.queries import document, last_approved_before
from gallery.services.reading import note_viewed
from reviews.forms import ReviewForm, SignOffForm
from reviews.policies import (
    comment_blockers,
    peer_approvals,
    peers_required,
    review_blockers,
    sign_off_blockers,
)
from reviews.queries import open_comments
from reviews.services import record_review, record_sign_off
from reviews.sheet import sheet_fingerprint
from reviews.signing import confirm


def review(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Read the source with its findings and comments, and decide as a peer."""
    version = readable_version(request.user, slug, number)
    form = ReviewForm(request.POST or None)
    if form.is_valid() and form.carry_out(lambda: _record(request, version, form)):
        messages.success(request, "Signed. Your review is recorded.")
        return redirect("reviews:review", slug, number)
    note_viewed(version=version, by=request.user, now=timezone.now())
    notebook = document(version)
    comments = version.comments.select_related("written_by", "resolved_by")
    context = {
        **_about(version),
        "form": form,
        "blockers": review_blockers(request.user, version),
        "cells": annotate(notebook, findings=version.findings, comments=comments),
        "metadata": notebook["metadata"],
        "general_comments": [each for each in comments if not each.cell_id],
        "can_comment": not comment_blockers(request.user, version),
    }
    return render(request, "reviews/review.html", context, status=form.status)


def sign_off(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Read in plain words what the version does, and decide for compliance."""
    version = readable_version(request.user, slug, number)
    form = SignOffForm(request.POST or None)
    if form.is_valid() and form.carry_out(lambda: _sign_off(request, version, form)):
        messages.success(request, "Signed. Your decision is recorded.")
        return redirect("reviews:sign-off", slug, number)
    note_viewed(version=version, by=request.user, now=timezone.now())
    context = {
        **_about(version),
        "source_audience": source_audience(version.notebook),
        "form": form,
        "blockers": sign_off_blockers(request.user, version),
        "comments": version.comments.select_related("written_by", "resolved_by"),
    }
    return render(request, "reviews/sign_off.html", context, status=form.status)


def _record(request: HttpRequest, version: Version, form: ReviewForm) -> Any:
    now = timezone.now()
    password = form.cleaned_data["password"]
    return record_review(
        version=version,
        decision=form.decided(request.POST.get("seen", "")),
        by=request.user,
        confirmation=confirm(
            person=request.user, password=password, now=now, request=request
        ),
        now=now,
    )


def _sign_off(request: HttpRequest, version: Version, form: SignOffForm) -> Any:
    now = timezone.now()
    password = form.cleaned_data["password"]
    return record_sign_off(
        version=version,
        decision=form.decided(request.POST.get("seen", "")),
        by=request.user,
        confirmation=confirm(
            person=request.user, password=password, now=now, request=request
        ),
        now=now,
    )


def _about(version: Version) -> dict[str, Any]:
    """Return what both pages show of a version."""
    version.refresh_from_db(fields=["status"])
    old = last_approved_before(version)
    return {
        "notebook": version.notebook,
        "version": version,
        "seen": sheet_fingerprint(version),
        "findings": version.findings,
        "tables": tables_in_words(version),
        "reviews": version.reviews.select_related("reviewed_by"),
        "sign_offs": version.sign_offs.select_related("signed_by"),
        "signatures": version.signatures.all(),
        "approvals": peer_approvals(version),
        "approvals_required": peers_required(version.notebook),
        "open_comments": open_comments(version).count(),
        "old": old,
        "diff_cells": diff_notebooks(document(old), document(version)) if old else [],
        "changes": changes_beside_code(old, version) if old else [],
    }
