"""The API of the audit log, for auditors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.negotiation import OneAnswer
from accounts.problems import BadInput, FieldError
from accounts.requests import signed_in
from audit import services
from audit.forms import EventFilterForm
from audit.models import Event
from audit.presenters import sentence
from audit.queries import EventFilter, events_matching

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

FILTERS = [
    OpenApiParameter(name, str, description=text)
    for name, text in {
        "person": "user name of who acted or was acted on",
        "notebook": "slug of a notebook",
        "run": "id of a run, or its beginning",
        "kind": "an action or its first word: `version`, `run.requested`",
        "since": "first day, UTC, as 2026-01-31",
        "until": "last day, UTC",
    }.items()
]


class EventSerializer(serializers.ModelSerializer[Event]):
    """One event, in data and in words."""

    sentence = serializers.SerializerMethodField()

    class Meta:
        model = Event
        fields = (
            "seq",
            "at",
            "actor",
            "actor_name",
            "action",
            "target_type",
            "target_id",
            "target_label",
            "data",
            "sentence",
            "payload",
            "previous_hash",
            "hash",
        )

    def get_sentence(self, event: Event) -> str:
        return sentence(event)


class BreakSerializer(serializers.Serializer[Any]):
    """The first place where the chain is not whole."""

    seq = serializers.IntegerField()
    code = serializers.CharField()
    message = serializers.CharField()


class VerdictSerializer(serializers.Serializer[Any]):
    """What a check of the whole chain found."""

    is_whole = serializers.BooleanField()
    checked = serializers.IntegerField()
    last_seq = serializers.IntegerField(source="last.seq")
    last_hash = serializers.CharField(source="last.hash")
    broken = BreakSerializer(allow_null=True)


class EventsView(ListAPIView[Event]):
    """Events, newest first; looking at them is recorded first."""

    serializer_class = EventSerializer

    @extend_schema(parameters=FILTERS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Event]:
        if getattr(self, "swagger_fake_view", False):
            return Event.objects.none()
        chosen = chosen_by(self.request)
        services.open_log(chosen=chosen, by=signed_in(self.request), now=timezone.now())
        return events_matching(chosen)


class ExportView(APIView):
    """Take a copy of the log."""

    content_negotiation_class = OneAnswer

    @extend_schema(
        parameters=FILTERS,
        responses={
            (200, "application/x-ndjson"): OpenApiResponse(
                OpenApiTypes.BINARY,
                description="One event per line, oldest first, as "
                "`manage.py verify_audit --file` takes them.",
            )
        },
    )
    def get(self, request: Request) -> HttpResponse:
        """Answer the events that match as JSON lines; the export is recorded first."""
        lines = services.take_copy(
            chosen=chosen_by(request), by=signed_in(request), now=timezone.now()
        )
        return HttpResponse(
            "".join(lines),
            content_type="application/x-ndjson",
            headers={
                "Content-Disposition": 'attachment; filename="audit-events.jsonl"'
            },
        )


def chosen_by(request: Request) -> EventFilter:
    """Return the filter that the query asks for.  Raises BadInput."""
    form = EventFilterForm(request.query_params)
    if not form.is_valid():
        raise BadInput(
            [
                FieldError(name, error.code or "invalid", str(error.message))
                for name, found in form.errors.as_data().items()
                for error in found
            ]
        )
    return form.chosen()


class VerifyView(APIView):
    """Check the whole chain."""

    @extend_schema(responses=VerdictSerializer)
    def get(self, request: Request) -> Response:
        verdict = services.verify(by=signed_in(request), now=timezone.now())
        return Response(VerdictSerializer(verdict).data)
