"""Links to the content origin: short-lived, for one person, for one look."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class ContentLink(models.Model):
    """One look at one result by one person; only the token's hash is kept."""

    token_sha256 = models.BinaryField(max_length=32, unique=True)
    run = models.ForeignKey("runner.Run", models.CASCADE, related_name="content_links")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="content_links"
    )
    kind = models.CharField(max_length=10, choices=[("html", "Rendered result")])
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        """Nobody edits links; they are made, used once and swept."""

        app_label = "runner"
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["html"]), name="content_link_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")),
                name="content_link_expires_later",
            ),
        ]

    def __str__(self) -> str:
        return f"link to run {self.run_id}"
