"""How the API answers notebooks and versions: with their reviews, for one caller."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch, QuerySet
from rest_framework.request import Request

from accounts.models import User
from gallery.models import Notebook, Version
from gallery.queries import code_readable, versions_seen_by
from reviews.serializers import (
    NotebookDetailSerializer,
    NotebookSerializer,
    VersionDetailSerializer,
)


def _with_reviews(user: User) -> QuerySet[Version]:
    return versions_seen_by(user).prefetch_related(
        "reviews__reviewed_by", "sign_offs__signed_by", "signatures"
    )


def with_versions(user: User, notebooks: QuerySet[Notebook]) -> QuerySet[Notebook]:
    """Fetch with each notebook the versions that the person may see."""
    return notebooks.select_related("created_by").prefetch_related(
        Prefetch("versions", queryset=_with_reviews(user), to_attr="seen_versions")
    )


def context(user: User, notebooks: Sequence[Notebook]) -> dict[str, Any]:
    """Return what the serializers ask about the caller."""
    return {"user": user, "code_readable": code_readable(user, notebooks)}


def notebooks_as_dicts(user: User, notebooks: Sequence[Notebook]) -> list[Any]:
    """Return a page of the catalog; `notebooks` come from `with_versions`."""
    told = NotebookSerializer(notebooks, many=True, context=context(user, notebooks))
    return list(told.data)


def notebook_as_dict(request: Request, notebook: Notebook) -> dict[str, Any]:
    """Return one notebook, read afresh."""
    found = with_versions(request.user, Notebook.objects.filter(pk=notebook.pk)).get()
    return NotebookDetailSerializer(found, context=context(request.user, [found])).data


def version_as_dict(request: Request, version: Version) -> dict[str, Any]:
    """Return one version, read afresh, as the caller's deed has left it."""
    found = (
        Version.objects.defer("document")
        .select_related("created_by", "notebook")
        .prefetch_related("reviews__reviewed_by", "sign_offs__signed_by", "signatures")
        .get(pk=version.pk)
    )
    told = VersionDetailSerializer(
        found, context=context(request.user, [found.notebook])
    )
    return told.data
