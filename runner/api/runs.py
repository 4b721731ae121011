"""Runs: ask for one, list one's own, look, cancel."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.personas import active_persona
from accounts.strict import EmptySerializer
from gallery.fetching import notebook_or_404, version_or_404
from runner.line import places_of
from runner.models import Run
from runner.queries import runs_of
from runner.serializers import (
    PreviewRequestSerializer,
    RunDetailSerializer,
    RunQuerySerializer,
    RunRequestSerializer,
    RunSerializer,
)
from runner.services import cancel_run, repeat_run, request_preview, request_run
from runner.workflow import Queue

_PREFER = OpenApiParameter(
    "Prefer",
    str,
    OpenApiParameter.HEADER,
    description="`wait=N`: answer 200 if the run ends within N seconds (at most 60).",
)
_ANSWERS = {200: RunDetailSerializer, 202: RunDetailSerializer}


def own_run_or_404(request: Request, run_id: UUID) -> Run:
    """Return a run of the caller's; other people's do not exist for them."""
    return get_object_or_404(runs_of(request.user), pk=run_id)


def run_as_dict(run: Run) -> dict[str, Any]:
    """Return a run as RunDetailSerializer says."""
    return RunDetailSerializer(run, context={"places": places_of([run])}).data


class RunRequestsView(APIView):
    """Runs of a notebook."""

    @extend_schema(
        parameters=[_PREFER], request=RunRequestSerializer, responses=_ANSWERS
    )
    def post(self, request: Request, slug: str) -> Response:
        """Queue a run of the approved version on real data, as one of one's personas."""
        notebook = notebook_or_404(request.user, slug)
        sent = RunRequestSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        run = request_run(
            notebook=notebook,
            launch=sent.launch(persona=active_persona(request._request)),
            by=request.user,
            now=timezone.now(),
            queue=sent.queue,
        )
        return Response(run_as_dict(run), status=status.HTTP_202_ACCEPTED)


class PreviewRequestsView(APIView):
    """Previews of a version."""

    @extend_schema(
        parameters=[_PREFER], request=PreviewRequestSerializer, responses=_ANSWERS
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Queue a run on invented people; for authors and reviewers."""
        version = version_or_404(request.user, slug, number)
        sent = PreviewRequestSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        run = request_preview(
            version=version,
            launch=sent.launch(persona=active_persona(request._request)),
            by=request.user,
            now=timezone.now(),
            queue=sent.queue,
        )
        return Response(run_as_dict(run), status=status.HTTP_202_ACCEPTED)


class RunsView(GenericAPIView[Run]):
    """The caller's runs."""

    queryset = Run.objects.none()
    serializer_class = RunSerializer

    @extend_schema(parameters=[RunQuerySerializer], responses=RunSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the caller's runs and previews, newest first."""
        asked = RunQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        page = self.paginate_queryset(runs_of(request.user).filter(**asked.filters()))
        context = {"places": places_of(page or [])}
        found = RunSerializer(page, many=True, context=context).data
        return self.get_paginated_response(found)


class RunView(APIView):
    """One run."""

    @extend_schema(responses=RunDetailSerializer)
    def get(self, request: Request, run_id: UUID) -> Response:
        """Show how far a run of the caller's has come, cell by cell."""
        return Response(run_as_dict(own_run_or_404(request, run_id)))


class RepeatView(APIView):
    """Ask again."""

    @extend_schema(parameters=[_PREFER], request=EmptySerializer, responses=_ANSWERS)
    def post(self, request: Request, run_id: UUID) -> Response:
        """Queue a run with the parameters, persona and purpose of an earlier one.

        It is a run of the same version; on real data, where another one is approved
        by now, the answer is 409 with the blocker `version_replaced`.
        """
        before = own_run_or_404(request, run_id)
        EmptySerializer(data=request.data).is_valid(raise_exception=True)
        run = repeat_run(
            before=before, by=request.user, now=timezone.now(), queue=Queue.API
        )
        return Response(run_as_dict(run), status=status.HTTP_202_ACCEPTED)


class CancelView(APIView):
    """Stop a run."""

    @extend_schema(request=EmptySerializer, responses=RunDetailSerializer)
    def post(self, request: Request, run_id: UUID) -> Response:
        """Stop a run of the caller's: at once while it waits, else within moments."""
        run = own_run_or_404(request, run_id)
        EmptySerializer(data=request.data).is_valid(raise_exception=True)
        cancel_run(run=run, by=request.user, now=timezone.now())
        return Response(run_as_dict(own_run_or_404(request, run_id)))
