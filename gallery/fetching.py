"""Fetch what a page is about, or answer 404 as if it did not exist."""

from django.shortcuts import get_object_or_404

from accounts.models import User
from accounts.policies import require
from gallery.access import visible_to
from gallery.models import Notebook, Version
from gallery.policies import read_blockers
from gallery.queries import visible_versions


def notebook_or_404(user: User, slug: str) -> Notebook:
    """Return a notebook that exists for this person."""
    return get_object_or_404(visible_to(user).select_related("created_by"), slug=slug)


def version_or_404(user: User, slug: str, number: int) -> Version:
    """Return a version that exists for this person, code or no code."""
    notebook = notebook_or_404(user, slug)
    return get_object_or_404(visible_versions(user, notebook), number=number)


def readable_version(user: User, slug: str, number: int) -> Version:
    """Return a version whose code this person may read.

    Raises Http404 when they may not see it at all, NotAllowed when only the code is
    closed to them.
    """
    version = version_or_404(user, slug, number)
    require(read_blockers(user, version))
    return version
