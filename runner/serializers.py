"""What the API takes and answers about runs."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.personas import Persona, Purpose
from accounts.strict import StrictSerializer
from runner.models import Run, RunCell, RunKind
from runner.services import Launch
from runner.workflow import Status


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

    def launch(self, *, persona: str | None = None) -> Launch:
        """Return what the services take; `persona` is used when none was sent."""
        clean = self.validated_data
        return Launch(
            parameters=clean["parameters"],
            persona=clean["persona"] or persona,
            purpose=clean["purpose"],
            number=clean.get("version"),
        )


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


class RunCellSerializer(serializers.ModelSerializer[RunCell]):
    """How one cell went."""

    class Meta:
        """One row per executed code cell."""

        model = RunCell
        fields = ("index", "status", "duration_ms")


class RunSerializer(serializers.ModelSerializer[Run]):
    """A run, to the person whose it is."""

    notebook = serializers.CharField(source="notebook.slug")
    version = serializers.IntegerField(source="version.number")
    requested_by = serializers.CharField(source="requested_by.username")
    parameters = serializers.DictField(help_text="Only those that were set.")
    incident = serializers.CharField(help_text="The short number to quote.")
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
            "incident",
            "error",
        )

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
