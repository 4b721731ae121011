"""Who may launch, read, review and edit a notebook."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.access import (
    Audience,
    co_authors,
    launch_audience,
    review_audience,
    source_audience,
)
from gallery.fetching import notebook_or_404
from gallery.models import Notebook
from gallery.services.access import Audiences, read_audience, read_people
from reviews.api.decisions import SigningView
from reviews.serializers import AccessRequestSerializer, AccessSerializer
from reviews.services import change_access


class AccessView(SigningView):
    """The audiences of a notebook, and its co-authors."""

    @extend_schema(responses=AccessSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """Show them."""
        return Response(access_as_dict(notebook_or_404(request.user, slug)))

    @extend_schema(request=AccessRequestSerializer, responses=AccessSerializer)
    def put(self, request: Request, slug: str) -> Response:
        """Set them; widening an approved notebook's takes a compliance signature."""
        notebook = notebook_or_404(request.user, slug)
        sent = AccessRequestSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        clean = sent.validated_data
        password = clean.get("password")
        notebook = change_access(
            notebook=notebook,
            audiences=Audiences(
                launch=_chosen("launch", clean, launch_audience(notebook)),
                source=_chosen("source", clean, source_audience(notebook)),
                review=_chosen("review", clean, review_audience(notebook)),
                edit=read_people("edit", clean["edit"]) if "edit" in clean else None,
            ),
            by=request.user,
            confirmation=self.confirmed(request, password) if password else None,
            now=timezone.now(),
        )
        return Response(access_as_dict(notebook))


def _chosen(name: str, clean: dict[str, Any], present: Audience) -> Audience:
    return read_audience(name, clean[name]) if name in clean else present


def access_as_dict(notebook: Notebook) -> dict[str, Any]:
    """Return who may do what, as AccessSerializer says."""
    return {
        "launch": launch_audience(notebook).as_dict(),
        "source": source_audience(notebook).as_dict(),
        "review": review_audience(notebook).as_dict(),
        "edit": list(co_authors(notebook)),
    }
