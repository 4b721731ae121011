"""What runs asked the data source and what their readers did, kept while they run."""

from django.db import models


class SealedBatch(models.Model):
    """Some entries of a run's record in their order, sealed as they came."""

    #: What `associated` calls the record.
    record = ""

    #: How many entries came before it.
    first = models.PositiveIntegerField()
    sealed = models.BinaryField()
    stored_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        """Each entry is in one batch."""

        abstract = True
        app_label = "runner"
        default_permissions = ()
        ordering = ["first"]

    @property
    def associated(self) -> str:
        """The text that the sealed bytes are bound to: the run, and the place in it."""
        return f"{self.run_id}/{self.record}/{self.first}"  # type: ignore[attr-defined]  # each has a run


class StatementBatch(SealedBatch):
    """Some of a run's statements with their row counts.

    A run that ends with a result has all of them in it, and no batch any more; of one
    that lost its kernel host or its worker these batches are what is left.
    """

    record = "statements"

    run = models.ForeignKey(
        "runner.Run", models.CASCADE, related_name="statement_batches"
    )

    class Meta(SealedBatch.Meta):
        """Each statement is in one batch."""

        constraints = [
            models.UniqueConstraint(
                fields=["run", "first"], name="statements_in_one_batch"
            )
        ]

    def __str__(self) -> str:
        return f"Statements of {self.run_id} from {self.first}"


class WidgetEventBatch(SealedBatch):
    """Some of what a reader did in a live session, as `runner.live.record` says."""

    record = "widget-events"

    run = models.ForeignKey(
        "runner.Run", models.CASCADE, related_name="widget_event_batches"
    )

    class Meta(SealedBatch.Meta):
        """Each event is in one batch."""

        constraints = [
            models.UniqueConstraint(
                fields=["run", "first"], name="widget_events_in_one_batch"
            )
        ]

    def __str__(self) -> str:
        return f"Widget events of {self.run_id} from {self.first}"


class PageChangeBatch(SealedBatch):
    """Some of what the pages of a live session were told, as `runner.live.record` says."""

    record = "page-changes"

    run = models.ForeignKey(
        "runner.Run", models.CASCADE, related_name="page_change_batches"
    )

    class Meta(SealedBatch.Meta):
        """Each change is in one batch."""

        constraints = [
            models.UniqueConstraint(
                fields=["run", "first"], name="page_changes_in_one_batch"
            )
        ]

    def __str__(self) -> str:
        return f"Changes of the page of {self.run_id} from {self.first}"


BatchKind = type[StatementBatch] | type[WidgetEventBatch] | type[PageChangeBatch]
#: Everything of a run that is kept in batches.
BATCHES: tuple[BatchKind, ...] = (StatementBatch, WidgetEventBatch, PageChangeBatch)
