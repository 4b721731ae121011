"""Runs, their cells and what they leave."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.functional import cached_property

from accounts.personas import Persona, Purpose
from gallery.models import Notebook, Version
from runner.models_content import ContentLink, LinkKind, RunOutput
from runner.models_statements import (
    BATCHES,
    PageChangeBatch,
    StatementBatch,
    WidgetEventBatch,
)
from runner.workflow import ACTIVE, FINAL, Queue, Status

__all__ = [
    "BATCHES",
    "ContentLink",
    "DataSourceCheck",
    "LinkKind",
    "PageChangeBatch",
    "Run",
    "RunCell",
    "RunKind",
    "RunOutput",
    "RunResult",
    "StatementBatch",
    "WidgetEventBatch",
]


class RunKind(models.TextChoices):
    """What a run may reach: the real data source, or its notional twin."""

    RUN = "run", "Run"
    PREVIEW = "preview", "Preview on invented people"


class Run(models.Model):
    """One execution of one version for one person in one persona."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=RunKind.choices)
    notebook = models.ForeignKey(Notebook, models.PROTECT, related_name="runs")
    version = models.ForeignKey(Version, models.PROTECT, related_name="runs")
    digest = models.CharField(max_length=64)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="runs"
    )
    persona = models.CharField(max_length=30, choices=Persona.choices)
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    parameters = models.JSONField(default=dict)
    #: The cell that binds the parameters, exactly as the kernel receives it.
    injected_source = models.TextField(blank=True)
    status = models.CharField(
        max_length=20, choices=Status.choices, default=Status.QUEUED
    )
    #: Whose workers take it, and in which line it waits.
    queue = models.CharField(max_length=12, choices=Queue.choices, default=Queue.BATCH)
    cells_total = models.PositiveIntegerField(default=0)
    cells_done = models.PositiveIntegerField(default=0)
    queued_at = models.DateTimeField()
    enqueued_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    #: When the first statement reached the data source.
    data_read_at = models.DateTimeField(null=True)
    rows_read = models.BigIntegerField(null=True)
    #: `{code, message, cell, line, exception}`; no value of a cell ever stands here.
    error = models.JSONField(null=True)
    #: The layers of confinement that were in force.
    evidence = models.JSONField(default=dict)

    class Meta:
        """A finished run has its time; nobody else's error is shown."""

        default_permissions = ()
        ordering = ["-queued_at"]
        indexes = [
            models.Index(fields=["requested_by", "-queued_at"], name="run_mine"),
            models.Index(
                fields=["status"], name="run_active", condition=Q(status__in=ACTIVE)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="run_status_known"
            ),
            models.CheckConstraint(
                condition=Q(queue__in=Queue.values), name="run_queue_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=ACTIVE, finished_at__isnull=True)
                | Q(status__in=FINAL, finished_at__isnull=False),
                name="finished_run_has_its_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.notebook.title}, {self.incident}"

    @property
    def incident(self) -> str:
        """The short number that a reader can quote to an operator."""
        return self.id.hex[:8].upper()

    @property
    def audit_data(self) -> dict[str, object]:
        """What every event about this run names; never a parameter's value."""
        return {
            "notebook": self.notebook.slug,
            "number": self.version.number,
            "digest": self.digest,
            "kind": self.kind,
            "persona": self.persona,
            "purpose": self.purpose,
        }

    @property
    def is_final(self) -> bool:
        """Tell whether nothing more will happen to this run."""
        return self.status in FINAL

    @property
    def is_live(self) -> bool:
        """Tell whether it is a live session: a run whose kernel stays for its reader."""
        return self.queue == Queue.INTERACTIVE

    @property
    def is_preview(self) -> bool:
        """Tell whether it reads invented people only."""
        return self.kind == RunKind.PREVIEW

    @cached_property
    def stored_result(self) -> "RunResult | None":
        """What is known of the result, if there ever was one, without its megabytes."""
        known = RunResult.objects.only("run", "expired_at")
        return known.filter(run=self).first()

    def get_absolute_url(self) -> str:
        """Return the address of the run's page."""
        return reverse("runner:run", args=[self.pk])


class RunCell(models.Model):
    """How one cell of a run went."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="cells")
    index = models.PositiveIntegerField()
    status = models.CharField(max_length=10)
    duration_ms = models.PositiveIntegerField(null=True)

    class Meta:
        """One row per executed code cell."""

        default_permissions = ()
        ordering = ["index"]
        constraints = [
            models.UniqueConstraint(fields=["run", "index"], name="one_row_per_cell")
        ]

    def __str__(self) -> str:
        return f"Cell {self.index}: {self.status}"


class RunResult(models.Model):
    """What a run leaves, sealed; after its expiry the sealed bytes are gone."""

    run = models.OneToOneField(Run, models.CASCADE, related_name="result")
    notebook = models.BinaryField(null=True)
    html = models.BinaryField(null=True)
    statements = models.BinaryField(null=True)
    notebook_sha256 = models.CharField(max_length=64)
    html_sha256 = models.CharField(max_length=64)
    stored_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    expired_at = models.DateTimeField(null=True)

    class Meta:
        """Sealed bytes until expiry, then none."""

        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    expired_at__isnull=True,
                    notebook__isnull=False,
                    html__isnull=False,
                    statements__isnull=False,
                )
                | Q(
                    expired_at__isnull=False,
                    notebook__isnull=True,
                    html__isnull=True,
                    statements__isnull=True,
                ),
                name="expired_result_is_empty",
            )
        ]

    def __str__(self) -> str:
        return f"Result of {self.run_id}"


class DataSourceCheck(models.Model):
    """What the last check of a data source found; launches ask it."""

    source = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=RunKind.choices)
    checked_at = models.DateTimeField()
    #: `[{code, message, remedy}]`; empty when the source is as it must be.
    problems = models.JSONField()

    class Meta:
        """One row per source and kind, replaced by each check."""

        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["source", "kind"], name="one_check_per_source"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source} ({self.kind}): {len(self.problems)} problems"
