"""What runs asked the data source, kept while they run."""

from django.db import models


class StatementBatch(models.Model):
    """Some of a run's statements with their row counts, sealed as they came.

    A run that ends with a result has all of them in it, and no batch any more; of one
    that lost its kernel host or its worker these batches are what is left.
    """

    run = models.ForeignKey(
        "runner.Run", models.CASCADE, related_name="statement_batches"
    )
    #: How many statements came before it.
    first = models.PositiveIntegerField()
    sealed = models.BinaryField()
    stored_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        """Each statement is in one batch."""

        app_label = "runner"
        default_permissions = ()
        ordering = ["first"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "first"], name="statements_in_one_batch"
            )
        ]

    def __str__(self) -> str:
        return f"Statements of {self.run_id} from {self.first}"

    @property
    def associated(self) -> str:
        """The text that the sealed bytes are bound to: the run, and the place in it."""
        return f"{self.run_id}/statements/{self.first}"
