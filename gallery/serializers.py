"""What the API takes and answers about notebooks and versions."""

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.strict import StrictSerializer
from gallery.models import Notebook, Version
from gallery.queries import ORDERINGS, CatalogFilter
from gallery.services import Upload
from gallery.workflow import Status

SEVERITIES = [(name, name) for name in ("info", "warning", "error")]
DIFF_KINDS = [(name, name) for name in ("same", "changed", "added", "removed", "moved")]


class TagsField(serializers.ListField):
    """Tags, repeated or separated by commas."""

    child = serializers.CharField(max_length=500, allow_blank=True)

    def to_internal_value(self, data: Any) -> list[str]:
        """Return single tags."""
        given = super().to_internal_value(data)
        return [tag.strip() for text in given for tag in text.split(",") if tag.strip()]


class VersionUploadSerializer(StrictSerializer):
    """A file that becomes the notebook's next version."""

    file = serializers.FileField(allow_empty_file=True)
    summary = serializers.CharField(required=False, allow_blank=True, max_length=500)
    environment = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=60,
        help_text="The environment's name; without one, it follows from the kernel.",
    )
    manifest = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=100_000,
        help_text='JSON: {"tables": {"schema.table": ["column"]}}; without one, '
        "the data a version may read are not narrowed.",
    )
    limits = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=1_000,
        help_text='JSON: {"wall_clock_s": 1800}; what differs from every run\'s limits.',
    )

    def upload(self) -> Upload:
        """Return what the services take."""
        clean = self.validated_data
        file: UploadedFile = clean["file"]
        return Upload(
            data=file.read(),
            summary=clean.get("summary", ""),
            environment=clean.get("environment") or None,
            manifest=clean.get("manifest") or None,
            limits=clean.get("limits") or None,
        )


class NotebookUploadSerializer(VersionUploadSerializer):
    """A file that becomes the first version of a new notebook."""

    title = serializers.CharField(max_length=500)
    description = serializers.CharField(
        required=False, allow_blank=True, max_length=20_000
    )
    tags = TagsField(required=False)
    department = serializers.CharField(required=False, allow_blank=True, max_length=80)

    def entry(self) -> dict[str, Any]:
        """Return the catalog entry's arguments of `create_notebook`."""
        clean = self.validated_data
        return {
            "title": clean["title"],
            "description": clean.get("description", ""),
            "tags": clean.get("tags", []),
            "department": clean.get("department", ""),
        }


class CatalogQuerySerializer(serializers.Serializer[Any]):
    """What to look for in the catalog."""

    q = serializers.CharField(required=False, allow_blank=True, max_length=500)
    tag = serializers.CharField(required=False, allow_blank=True, max_length=40)
    language = serializers.CharField(required=False, allow_blank=True, max_length=40)
    department = serializers.CharField(required=False, allow_blank=True, max_length=80)
    state = serializers.ChoiceField(
        required=False, allow_blank=True, choices=Status.choices
    )
    mine = serializers.BooleanField(required=False, default=False)
    ordering = serializers.ChoiceField(
        required=False, allow_blank=True, choices=sorted(ORDERINGS)
    )

    def wanted(self) -> CatalogFilter:
        """Return what the catalog query takes."""
        return CatalogFilter(**self.validated_data)


class FindingSerializer(serializers.Serializer[Any]):
    """What an automated check saw."""

    code = serializers.CharField()
    severity = serializers.ChoiceField(choices=SEVERITIES)
    message = serializers.CharField()
    cell = serializers.IntegerField(allow_null=True)
    line = serializers.IntegerField(allow_null=True)


class TableUseSerializer(serializers.Serializer[Any]):
    """A table that was found in the code's SQL; the column `*` means all of them."""

    table = serializers.CharField()
    columns = serializers.ListField(child=serializers.CharField())
    cell = serializers.IntegerField()


class BlockerSerializer(serializers.Serializer[Any]):
    """One reason why not: a stable code, and a sentence."""

    code = serializers.CharField()
    message = serializers.CharField()


class VersionFieldsSerializer(serializers.ModelSerializer[Version]):
    """What the gallery knows of a version.

    The context's `code_readable` holds the ids of the notebooks whose code the
    caller may read; for others, what was seen in the code is null.
    """

    created_by = serializers.CharField(source="created_by.username")
    created_by_name = serializers.CharField(source="created_by.printed_name")
    parameters = serializers.DictField(help_text="JSON Schema 2020-12.")
    manifest = serializers.DictField(
        allow_null=True, help_text="The tables and columns declared; null: undeclared."
    )
    limits = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="What differs from every run's limits.",
    )
    findings = serializers.SerializerMethodField()
    tables_read = serializers.SerializerMethodField()
    removed = serializers.SerializerMethodField()

    class Meta:
        """Everything but the bytes."""

        model = Version
        fields = (
            "number",
            "digest",
            "status",
            "summary",
            "parameters",
            "binding_mode",
            "environment",
            "environment_lock_sha256",
            "manifest",
            "limits",
            "data_sources",
            "kernel_name",
            "language",
            "tables_read",
            "findings",
            "removed",
            "original_sha256",
            "created_at",
            "created_by",
            "created_by_name",
            "submitted_at",
            "approved_at",
            "approval_expires_at",
            "ended_at",
            "end_reason",
        )

    def reads_code(self, version: Version) -> bool:
        """Tell whether the caller may read this version's code."""
        return version.notebook_id in self.context["code_readable"]

    @extend_schema_field(FindingSerializer(many=True, allow_null=True))
    def get_findings(self, version: Version) -> list[dict[str, Any]] | None:
        """Return the findings, or None for who may not read the code."""
        return version.findings if self.reads_code(version) else None

    @extend_schema_field(TableUseSerializer(many=True, allow_null=True))
    def get_tables_read(self, version: Version) -> list[dict[str, Any]] | None:
        """Return the tables found in the SQL, or None for who may not read it."""
        return version.tables_read if self.reads_code(version) else None

    def get_removed(self, version: Version) -> list[str] | None:
        """Return what was taken out of the upload, or None likewise."""
        return version.removed if self.reads_code(version) else None


class NotebookFieldsSerializer(serializers.ModelSerializer[Notebook]):
    """A catalog entry without its versions."""

    created_by = serializers.CharField(source="created_by.username")
    tags = serializers.ListField(child=serializers.CharField())

    class Meta:
        """What the catalog shows."""

        model = Notebook
        fields = (
            "slug",
            "title",
            "description",
            "tags",
            "language",
            "department",
            "created_at",
            "created_by",
        )


class EntrySerializer(StrictSerializer):
    """What may be changed of a catalog entry; its code stays as it is."""

    title = serializers.CharField(required=False, max_length=500)
    description = serializers.CharField(
        required=False, allow_blank=True, max_length=20_000
    )
    tags = TagsField(required=False)
    department = serializers.CharField(required=False, allow_blank=True, max_length=80)

    def entry(self, notebook: Notebook) -> dict[str, Any]:
        """Return the arguments of `edit_notebook`: as it is where nothing is sent."""
        names = ("title", "description", "tags", "department")
        return {
            name: self.validated_data.get(name, getattr(notebook, name))
            for name in names
        }


class DiffQuerySerializer(serializers.Serializer[Any]):
    """Which older version to compare with."""

    # A Python keyword, so it cannot be written as an attribute.
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the one field, `from`."""
        number = serializers.IntegerField(
            required=False,
            min_value=1,
            max_value=2**31 - 1,
            help_text="Its number; without one, the last version approved before.",
        )
        return {"from": number}


class CellDiffSerializer(serializers.Serializer[Any]):
    """How one cell differs."""

    kind = serializers.ChoiceField(choices=DIFF_KINDS)
    old_index = serializers.IntegerField(allow_null=True)
    new_index = serializers.IntegerField(allow_null=True)
    cell_type = serializers.CharField()
    lines = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="Pairs of a mark (space, plus, minus) and the line's text.",
    )


class DiffSerializer(serializers.Serializer[Any]):
    """Two versions compared cell by cell; `from_number` null: nothing to compare."""

    from_number = serializers.IntegerField(allow_null=True)
    to_number = serializers.IntegerField()
    cells = CellDiffSerializer(many=True)
