"""The API of a version's code: its stored bytes, and its difference to another."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.negotiation import OneAnswer
from accounts.policies import require
from accounts.requests import signed_in
from gallery.diff import diff_notebooks
from gallery.fetching import version_or_404
from gallery.models import Version
from gallery.policies import read_blockers
from gallery.queries import document, last_approved_before, visible_versions
from gallery.serializers import DiffQuerySerializer, DiffSerializer
from gallery.services.reading import note_compared, note_downloaded

#: A notebook of the largest size, with the form around it.
MAX_UPLOAD_BYTES = 12_000_000


class UploadView(APIView):
    """Refuses a body that is too large before it is read."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raise RequestDataTooBig before sign-in is checked, which reads the body."""
        size = request.META.get("CONTENT_LENGTH") or "0"
        if not size.isdecimal() or int(size) > MAX_UPLOAD_BYTES:
            raise RequestDataTooBig
        super().initial(request, *args, **kwargs)


class VersionIpynbView(APIView):
    """The bytes that were reviewed and signed."""

    content_negotiation_class = OneAnswer

    @extend_schema(
        responses={
            (200, "application/x-ipynb+json"): OpenApiResponse(
                OpenApiTypes.BINARY, description="The canonical notebook."
            )
        }
    )
    def get(self, request: Request, slug: str, number: int) -> HttpResponse:
        """Answer the stored bytes, for who may read the code."""
        version = version_or_404(request.user, slug, number)
        require(read_blockers(request.user, version))
        note_downloaded(version=version, by=signed_in(request), now=timezone.now())
        response = HttpResponse(
            bytes(version.document), content_type="application/x-ipynb+json"
        )
        response["Content-Disposition"] = (
            f'attachment; filename="{slug}-v{version.number}.ipynb"'
        )
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "no-store"
        return response


class VersionDiffView(APIView):
    """What changed since another version."""

    @extend_schema(parameters=[DiffQuerySerializer], responses=DiffSerializer)
    def get(self, request: Request, slug: str, number: int) -> Response:
        """Compare with an older version, cell by cell."""
        asked = DiffQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        version = version_or_404(request.user, slug, number)
        require(read_blockers(request.user, version))
        older = _older(request, version, asked.validated_data.get("from"))
        if older is not None:
            require(read_blockers(request.user, older))
            note_compared(
                version=version,
                other=older,
                by=signed_in(request),
                now=timezone.now(),
            )
        cells = diff_notebooks(document(older), document(version)) if older else []
        return Response(
            DiffSerializer(
                {
                    "from_number": older.number if older else None,
                    "to_number": version.number,
                    "cells": cells,
                }
            ).data
        )


def _older(request: Request, version: Version, number: int | None) -> Version | None:
    if number is None:
        return last_approved_before(version)
    return get_object_or_404(
        visible_versions(request.user, version.notebook), number=number
    )
