"""What was done in a live session, to its person and to auditors."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.negotiation import OneAnswer
from accounts.strict import StrictSerializer
from runner.models import Run
from runner.presenters import header_of
from runner.queries import recorded_runs
from runner.record_presenters import Keeping, done, sight_of
from runner.results.document import compose
from runner.results.record import read_record
from runner.results.replay import view_step
from runner.results.responses import attachment_response


class ChangeSerializer(serializers.Serializer[Any]):
    """One trait of a control that was changed."""

    trait = serializers.CharField(
        help_text="Its name; to auditors `a trait` where a page may have made it up."
    )
    deed = serializers.CharField(help_text="What happened to it, in words.")
    value = serializers.CharField(
        help_text="What it was set to, in words; empty unless `keeping` is `kept`."
    )
    keeping = serializers.ChoiceField(
        choices=[each.value for each in Keeping],
        help_text="`not_kept`: a password or the like. `not_yours`: its person's alone.",
    )
    size_bytes = serializers.IntegerField(
        allow_null=True, help_text="Of a value that was too long to be kept."
    )


class DoneSerializer(serializers.Serializer[Any]):
    """One thing that a reader did."""

    number = serializers.IntegerField(min_value=1)
    at = serializers.DateTimeField()
    control = serializers.CharField(
        help_text="The same for the same control; to auditors a number, as `control 3`."
    )
    kind = serializers.CharField(
        help_text="In words; to auditors, never by a name that code has chosen."
    )
    name = serializers.CharField(
        source="label",
        help_text="To auditors only where the approved code says it.",
    )
    changes = ChangeSerializer(many=True)


class StepQuerySerializer(StrictSerializer):
    """Which step of a record is shown."""

    step = serializers.IntegerField(
        min_value=0,
        max_value=2**31 - 1,
        default=0,
        help_text="0 is the page before the first.",
    )


class RecordView(GenericAPIView[Run]):
    """The record of a live session."""

    queryset = Run.objects.none()
    serializer_class = DoneSerializer

    @extend_schema(responses=DoneSerializer(many=True))
    def get(self, request: Request, run_id: UUID) -> Response:
        """List what the reader did, in order; the look is recorded first."""
        run = get_object_or_404(recorded_runs(request.user), pk=run_id)
        events = read_record(run=run, by=request.user, now=timezone.now())
        sight = sight_of(request.user, run)
        page = self.paginate_queryset(events)
        found = [done(entry, sight=sight) for entry in page or []]
        return self.get_paginated_response(DoneSerializer(found, many=True).data)


class ReplayView(APIView):
    """The page of a live session as it was."""

    content_negotiation_class = OneAnswer

    @extend_schema(
        parameters=[StepQuerySerializer],
        responses={(200, "text/html"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, run_id: UUID) -> HttpResponse:
        """Answer the page as it was after a step; the look is recorded first."""
        run = get_object_or_404(recorded_runs(request.user), pk=run_id)
        asked = StepQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        step = asked.validated_data["step"]
        html = view_step(run=run, step=step, by=request.user, now=timezone.now())
        page = compose(html, title=run.notebook.title, header=header_of(run))
        return attachment_response(
            page,
            filename=f"{run.notebook.slug}-{run.incident}-step-{step}.html",
            content_type="text/html",
        )
