"""What the API takes and answers about runs."""

from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.personas import Persona, Purpose
from accounts.strict import StrictSerializer
from runner.line import Place
from runner.models import Run, RunCell, RunKind
from runner.services import Launch
from runner.workflow import Queue, Status


class PreviewRequestSerializer(StrictSerializer):
    """What to run on invented people, and as whom."""

    parameters = serializers.DictField(
        required=False, default=dict, help_text="Values by parameter name."
    )
    persona = serializers.ChoiceField(
        required=False, allow_null=True, default=None, choices=Persona.choices
    )
    purpose = serializers.ChoiceField(
        required=False, allow_null=True, default=None, choices=Purpose.choices
    )
    live = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Open it as a live page, at the `page` of the answer; only for "
        "versions that use widgets.",
    )

    def launch(self, *, persona: str | None = None) -> Launch:
        """Return what the services take; `persona` is used when none was sent."""
        clean = self.validated_data
        return Launch(
            parameters=clean["parameters"],
            persona=clean["persona"] or persona,
            purpose=clean["purpose"],
            number=clean.get("version"),
        )

    @property
    def queue(self) -> Queue:
        """Return where the run waits."""
        return Queue.INTERACTIVE if self.validated_data["live"] else Queue.API


class RunRequestSerializer(PreviewRequestSerializer):
    """What to run on real data, as whom, and what for."""

    version = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=2**31 - 1,
        help_text="The number that you looked at: 409 `version_replaced` when another "
        "one is approved. Without it, the approved version runs.",
    )


class RunQuerySerializer(serializers.Serializer[Any]):
    """Which runs to list."""

    notebook = serializers.CharField(required=False, max_length=80)
    status = serializers.ChoiceField(required=False, choices=Status.choices)
    kind = serializers.ChoiceField(required=False, choices=RunKind.choices)

    def filters(self) -> dict[str, str]:
        """Return the query's filters."""
        lookups = {"notebook": "notebook__slug", "status": "status", "kind": "kind"}
        return {lookups[name]: value for name, value in self.validated_data.items()}


class RunErrorSerializer(serializers.Serializer[Any]):
    """Why a run ended badly, in one sentence; never a value."""

    code = serializers.CharField()
    message = serializers.CharField()
    cell = serializers.IntegerField(allow_null=True)


class WaitingSerializer(serializers.Serializer[Any]):
    """The limit that holds a waiting run back, in one sentence."""

    code = serializers.ChoiceField(choices=["own_limit", "version_limit"])
    message = serializers.CharField()


class RunCellSerializer(serializers.ModelSerializer[RunCell]):
    """How one cell went."""

    class Meta:
        """One row per executed code cell."""

        model = RunCell
        fields = ("index", "status", "duration_ms")


def held_back_as_dict(place: Place | None) -> dict[str, str] | None:
    """Return what WaitingSerializer says of a place, or None."""
    if place is None or not place.code:
        return None
    return {"code": place.code, "message": place.message}


class RunSerializer(serializers.ModelSerializer[Run]):
    """A run, to the person whose it is."""

    notebook = serializers.CharField(source="notebook.slug")
    version = serializers.IntegerField(source="version.number")
    requested_by = serializers.CharField(source="requested_by.username")
    parameters = serializers.DictField(help_text="Only those that were set.")
    page = serializers.SerializerMethodField(
        help_text="Where its person looks at it, or uses it while it is live."
    )
    incident = serializers.CharField(help_text="The short number to quote.")
    queue = serializers.ChoiceField(
        choices=Queue.choices, help_text="Whose workers take it."
    )
    place_in_queue = serializers.SerializerMethodField(
        help_text="1 is next; null when it does not wait."
    )
    held_back = serializers.SerializerMethodField(
        help_text="The limit that it waits for; null when it waits for a free place."
    )
    error = serializers.SerializerMethodField()

    class Meta:
        """Everything but what it read and made."""

        model = Run
        fields = (
            "id",
            "kind",
            "notebook",
            "version",
            "digest",
            "status",
            "queue",
            "place_in_queue",
            "held_back",
            "requested_by",
            "persona",
            "purpose",
            "parameters",
            "cells_done",
            "cells_total",
            "queued_at",
            "started_at",
            "finished_at",
            "data_read_at",
            "rows_read",
            "page",
            "incident",
            "error",
        )

    @extend_schema_field(serializers.URLField())
    def get_page(self, run: Run) -> str:
        """Return the address of its page."""
        return f"{settings.APPLICATION_ORIGIN}{run.get_absolute_url()}"

    @extend_schema_field(serializers.IntegerField(min_value=1, allow_null=True))
    def get_place_in_queue(self, run: Run) -> int | None:
        """Return its place, which whoever serializes has looked up for all."""
        place = self._place(run)
        return place.number if place else None

    @extend_schema_field(WaitingSerializer(allow_null=True))
    def get_held_back(self, run: Run) -> dict[str, str] | None:
        """Return the limit in words, or None."""
        return held_back_as_dict(self._place(run))

    def _place(self, run: Run) -> Place | None:
        places: dict[UUID, Place] = self.context["places"]
        return places.get(run.pk)

    @extend_schema_field(RunErrorSerializer(allow_null=True))
    def get_error(self, run: Run) -> dict[str, Any] | None:
        """Return the reason in words, or None."""
        if run.error is None:
            return None
        return {name: run.error.get(name) for name in ("code", "message", "cell")}


class RunDetailSerializer(RunSerializer):
    """The same with every cell."""

    cells = RunCellSerializer(many=True)

    class Meta(RunSerializer.Meta):
        """Adds the cells."""

        fields = (*RunSerializer.Meta.fields, "cells")
