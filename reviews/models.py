"""Peer reviews, compliance sign-offs, their signatures, comments and policies."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from gallery.models import Notebook, Version


class ReviewPolicy(models.Model):
    """How many peers must approve before compliance may sign."""

    name = models.CharField(max_length=80, unique=True)
    description = models.CharField(max_length=500, blank=True)
    peer_approvals = models.PositiveSmallIntegerField(validators=[MinValueValidator(1)])

    class Meta:
        """At least one peer, whatever the policy says."""

        default_permissions = ()
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(peer_approvals__gte=1), name="at_least_one_peer"
            )
        ]

    def __str__(self) -> str:
        return self.name


class NotebookPolicy(models.Model):
    """The policy that a compliance officer chose for one notebook."""

    notebook = models.OneToOneField(
        Notebook, models.PROTECT, related_name="review_policy"
    )
    policy = models.ForeignKey(ReviewPolicy, models.PROTECT)
    assigned_at = models.DateTimeField()
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+"
    )

    class Meta:
        """One policy per notebook."""

        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.notebook}: {self.policy}"


class ReviewDecision(models.TextChoices):
    """What a peer may decide."""

    APPROVE = "approve", "Approve"
    REQUEST_CHANGES = "request_changes", "Request changes"


class SignOffDecision(models.TextChoices):
    """What a compliance officer may decide."""

    APPROVE = "approve", "Approve"
    REJECT = "reject", "Reject"


class Review(models.Model):
    """One peer's decision on one version."""

    version = models.ForeignKey(Version, models.PROTECT, related_name="reviews")
    decision = models.CharField(max_length=20, choices=ReviewDecision.choices)
    comment = models.TextField(max_length=5000, blank=True)
    reviewed_at = models.DateTimeField()
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="reviews"
    )

    class Meta:
        """A peer decides once per version."""

        default_permissions = ()
        ordering = ["reviewed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "reviewed_by"], name="one_review_per_peer"
            ),
            models.CheckConstraint(
                condition=Q(decision__in=ReviewDecision.values),
                name="review_decision_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_decision_display()}: {self.version} by {self.reviewed_by}"


class SignOff(models.Model):
    """A compliance officer's decision on one version."""

    version = models.ForeignKey(Version, models.PROTECT, related_name="sign_offs")
    decision = models.CharField(max_length=20, choices=SignOffDecision.choices)
    comment = models.TextField(max_length=5000, blank=True)
    #: Who may launch, as it stood on the sheet that was signed.
    audience = models.JSONField()
    signed_at = models.DateTimeField()
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="sign_offs"
    )

    class Meta:
        """One sign-off decides a version."""

        default_permissions = ()
        ordering = ["signed_at"]
        constraints = [
            models.UniqueConstraint(fields=["version"], name="one_sign_off"),
            models.CheckConstraint(
                condition=Q(decision__in=SignOffDecision.values),
                name="sign_off_decision_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_decision_display()}: {self.version} by {self.signed_by}"


class Meaning(models.TextChoices):
    """What a signature says (21 CFR 11.50: the meaning of the signing)."""

    PEER_REVIEWED = "peer_reviewed", "Peer reviewed and approved"
    CHANGES_REQUESTED = "changes_requested", "Peer reviewed, changes requested"
    COMPLIANCE_APPROVED = "compliance_approved", "Signed off for compliance"
    COMPLIANCE_REJECTED = "compliance_rejected", "Rejected for compliance"
    REVOKED = "revoked", "Revoked"
    AUDIENCE_WIDENED = "audience_widened", "Audience widened"


#: The meanings with which a person takes a side on a version: one per person.
DECIDING = (
    Meaning.PEER_REVIEWED,
    Meaning.CHANGES_REQUESTED,
    Meaning.COMPLIANCE_APPROVED,
    Meaning.COMPLIANCE_REJECTED,
)


class Signature(models.Model):
    """An electronic signature over one version's digest.

    `payload` is the exact text that was signed (Ed25519); the columns repeat what
    pages show, and `reviews.verification.signature_problems` compares the two.
    """

    version = models.ForeignKey(Version, models.PROTECT, related_name="signatures")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="signatures"
    )
    meaning = models.CharField(max_length=30, choices=Meaning.choices)
    printed_name = models.CharField(max_length=160)
    signed_at = models.DateTimeField()
    digest = models.CharField(max_length=64)
    payload = models.TextField()
    signature = models.BinaryField(max_length=64)
    public_key = models.BinaryField(max_length=32)

    class Meta:
        """Peer and compliance are different people, whatever roles they hold."""

        default_permissions = ()
        ordering = ["signed_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "person"],
                condition=Q(meaning__in=DECIDING),
                name="one_deciding_signature_per_person",
            ),
            models.CheckConstraint(
                condition=Q(meaning__in=Meaning.values), name="signature_meaning_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_meaning_display()}: {self.version} by {self.printed_name}"


class Comment(models.Model):
    """A remark on a version, on one of its cells, or on one line of it."""

    version = models.ForeignKey(Version, models.PROTECT, related_name="comments")
    cell_id = models.CharField(max_length=64, blank=True)
    line = models.PositiveIntegerField(null=True)
    body = models.TextField(max_length=5000)
    written_at = models.DateTimeField()
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="comments"
    )
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True
    )

    class Meta:
        """A comment is resolved by somebody, at some time, or not at all."""

        default_permissions = ()
        ordering = ["written_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(resolved_at__isnull=True, resolved_by__isnull=True)
                | Q(resolved_at__isnull=False, resolved_by__isnull=False),
                name="comment_resolution_paired",
            )
        ]

    def __str__(self) -> str:
        return f"{self.written_by} on {self.version}"
