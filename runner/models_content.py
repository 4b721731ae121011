"""What the content origin shows: links, for one person and one look; live outputs."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class LinkKind(models.TextChoices):
    """What a link leads to."""

    HTML = "html", "Rendered result"
    LIVE = "live", "Outputs as they come"
    SESSION = "session", "Page of a live session"
    REPLAY = "replay", "Page of a live session as it was"


class ContentLink(models.Model):
    """One look at one result by one person; only the token's hash is kept."""

    token_sha256 = models.BinaryField(max_length=32, unique=True)
    run = models.ForeignKey("runner.Run", models.CASCADE, related_name="content_links")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="content_links"
    )
    kind = models.CharField(max_length=10, choices=LinkKind.choices)
    #: Fingerprint of the sign-in that a live session's page was opened in.
    sign_in = models.CharField(max_length=16, blank=True)
    #: Which step of a session's record it shows.
    step = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        """Nobody edits links; they are made, used once and swept."""

        app_label = "runner"
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=LinkKind.values), name="content_link_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(kind=LinkKind.REPLAY, step__isnull=False)
                | Q(step__isnull=True) & ~Q(kind=LinkKind.REPLAY),
                name="content_link_of_a_replay_has_its_step",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")),
                name="content_link_expires_later",
            ),
        ]

    def __str__(self) -> str:
        return f"link to run {self.run_id}"


class RunOutput(models.Model):
    """A part of what a run under way has shown, sealed; gone when the run ends."""

    run = models.ForeignKey("runner.Run", models.CASCADE, related_name="live_outputs")
    #: 1, 2, 3, … within the run.
    sequence = models.PositiveIntegerField()
    #: The cell's place in the notebook that was executed.
    cell = models.PositiveIntegerField()
    #: The cell has taken back what it showed before.
    replaces = models.BooleanField(default=False)
    html = models.BinaryField()
    stored_at = models.DateTimeField()

    class Meta:
        """Rows come and go, and never change."""

        app_label = "runner"
        default_permissions = ()
        ordering = ["sequence"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "sequence"], name="one_live_output_per_place"
            )
        ]

    def __str__(self) -> str:
        return f"output {self.sequence} of run {self.run_id}"
