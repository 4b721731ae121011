"""Notebooks and versions, each with its reviews: list, create, show, upload."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery.api import UploadView
from gallery.fetching import notebook_or_404, version_or_404
from gallery.models import Notebook
from gallery.queries import catalog
from gallery.serializers import (
    CatalogQuerySerializer,
    EntrySerializer,
    NotebookUploadSerializer,
    VersionUploadSerializer,
)
from gallery.services import add_version, create_notebook, edit_notebook
from reviews.api.presenting import (
    notebook_as_dict,
    notebooks_as_dicts,
    version_as_dict,
    with_versions,
)
from reviews.serializers import (
    NotebookDetailSerializer,
    NotebookSerializer,
    VersionDetailSerializer,
)


class NotebooksView(UploadView, GenericAPIView[Notebook]):
    """The catalog."""

    queryset = Notebook.objects.none()
    serializer_class = NotebookSerializer

    @extend_schema(
        parameters=[CatalogQuerySerializer], responses=NotebookSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        """List the notebooks that the caller may see."""
        asked = CatalogQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = with_versions(request.user, catalog(request.user, asked.wanted()))
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response(notebooks_as_dicts(request.user, page))

    @extend_schema(
        request={"multipart/form-data": NotebookUploadSerializer},
        responses={201: NotebookDetailSerializer},
    )
    def post(self, request: Request) -> Response:
        """Upload a notebook; its version 1 is a draft."""
        sent = NotebookUploadSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        notebook = create_notebook(
            **sent.entry(), upload=sent.upload(), by=request.user, now=timezone.now()
        )
        return Response(
            notebook_as_dict(request, notebook), status=status.HTTP_201_CREATED
        )


class NotebookView(APIView):
    """One catalog entry."""

    @extend_schema(responses=NotebookDetailSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """Show a notebook and those of its versions that the caller may see."""
        return Response(notebook_as_dict(request, notebook_or_404(request.user, slug)))

    @extend_schema(request=EntrySerializer, responses=NotebookDetailSerializer)
    def patch(self, request: Request, slug: str) -> Response:
        """Change what the catalog says of it; the code stays as it is."""
        notebook = notebook_or_404(request.user, slug)
        sent = EntrySerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        notebook = edit_notebook(
            notebook=notebook,
            **sent.entry(notebook),
            by=request.user,
            now=timezone.now(),
        )
        return Response(notebook_as_dict(request, notebook))


class VersionsView(UploadView):
    """Upload the next version."""

    @extend_schema(
        request={"multipart/form-data": VersionUploadSerializer},
        responses={201: VersionDetailSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Store an upload as a new draft; older versions stay what they are."""
        notebook = notebook_or_404(request.user, slug)
        sent = VersionUploadSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        version = add_version(
            notebook=notebook,
            upload=sent.upload(),
            by=request.user,
            now=timezone.now(),
        )
        return Response(
            version_as_dict(request, version), status=status.HTTP_201_CREATED
        )


class VersionView(APIView):
    """One version."""

    @extend_schema(responses=VersionDetailSerializer)
    def get(self, request: Request, slug: str, number: int) -> Response:
        """Show what was uploaded, who signed it, and what the caller may do next."""
        version = version_or_404(request.user, slug, number)
        return Response(version_as_dict(request, version))
