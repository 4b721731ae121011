"""Notebooks (catalog entries) and versions (immutable bytes)."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from gallery.workflow import Status


class Notebook(models.Model):
    """A catalog entry; what runs is always one of its versions."""

    slug = models.SlugField(unique=True, max_length=80)
    title = models.CharField(max_length=120)
    description = models.TextField(max_length=2000, blank=True)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    language = models.CharField(max_length=40)
    department = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="notebooks"
    )
    #: False: everyone who holds a persona may launch; True: only those granted.
    launch_restricted = models.BooleanField(default=False)
    #: False: reviewers, compliance and auditors read the code; True: only those granted.
    source_restricted = models.BooleanField(default=False)
    #: False: every peer reviewer may review; True: only those of them granted.
    review_restricted = models.BooleanField(default=False)
    search = SearchVectorField(null=True, editable=False)
    code_search = SearchVectorField(null=True, editable=False)

    class Meta:
        """Object permissions are django-guardian's; a missing row means the default."""

        default_permissions = ()
        permissions = [
            ("view_source_notebook", "Can read the code"),
            ("edit_notebook", "Can upload versions and change the entry"),
            ("review_notebook", "Can review its versions"),
            ("launch_notebook", "Can launch its approved version"),
        ]
        indexes = [
            GinIndex(fields=["search"], name="notebook_search"),
            GinIndex(fields=["code_search"], name="notebook_code_search"),
            GinIndex(
                fields=["title"], name="notebook_title_trgm", opclasses=["gin_trgm_ops"]
            ),
            GinIndex(fields=["tags"], name="notebook_tags"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def audit_data(self) -> dict[str, object]:
        """What every event about this notebook names."""
        return {"notebook": self.slug}

    def get_absolute_url(self) -> str:
        """Return the address of the notebook's page."""
        return reverse("gallery:notebook", args=[self.slug])


class Grant(models.Model):
    """A person's object permission on a notebook, their own or by a group; a view."""

    pk = models.CompositePrimaryKey("notebook", "user", "permission")
    notebook = models.ForeignKey(Notebook, models.DO_NOTHING, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, related_name="+"
    )
    permission = models.CharField(max_length=100)

    class Meta:
        """Rows may repeat: granted twice is granted."""

        managed = False
        db_table = "gallery_grant"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.permission} on {self.notebook_id} for {self.user_id}"


class Contributor(models.Model):
    """Who made a notebook, wrote a version of it, or may edit it; a view."""

    pk = models.CompositePrimaryKey("notebook", "user")
    notebook = models.ForeignKey(Notebook, models.DO_NOTHING, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, related_name="+"
    )

    class Meta:
        """Rows may repeat: who wrote two versions contributed once."""

        managed = False
        db_table = "gallery_contributor"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user_id} wrote {self.notebook_id}"


class Version(models.Model):
    """The exact bytes that are reviewed, signed and run.

    Everything but the status and its times is fixed by a database trigger and by
    the runtime role's column grants; a version is never deleted.
    """

    notebook = models.ForeignKey(Notebook, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    document = models.BinaryField()
    original_sha256 = models.CharField(max_length=64)
    parameters = models.JSONField()
    binding_mode = models.CharField(max_length=20)
    environment = models.CharField(max_length=60)
    environment_lock_sha256 = models.CharField(max_length=64)
    #: `{"tables": {"clinic.patients": ["patient_id", …]}}`; null means undeclared.
    manifest = models.JSONField(null=True)
    #: `{"memory_bytes": 4294967296}`: what differs from the limits of every run.
    limits = models.JSONField(default=dict)
    data_sources = ArrayField(models.CharField(max_length=40))
    findings = models.JSONField(default=list)
    #: `[{"table": …, "columns": […], "cell": …}]`, read from the SQL in the code.
    tables_read = models.JSONField(default=list)
    #: Plain-word notes of what was taken out of the upload.
    removed = models.JSONField(default=list)
    kernel_name = models.CharField(max_length=60)
    language = models.CharField(max_length=40)
    summary = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="versions"
    )
    status = models.CharField(
        max_length=20, choices=Status.choices, default=Status.DRAFT
    )
    submitted_at = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True)
    approval_expires_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        """One number per notebook, one approved version at a time."""

        default_permissions = ()
        ordering = ["notebook", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["notebook", "number"], name="version_number_once"
            ),
            models.UniqueConstraint(
                fields=["notebook"],
                condition=Q(status=Status.APPROVED),
                name="one_approved_version",
            ),
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="version_status_known"
            ),
            models.CheckConstraint(
                condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="version_digest_hex"
            ),
            models.CheckConstraint(
                condition=~Q(status=Status.APPROVED)
                | Q(
                    approved_at__isnull=False,
                    approval_expires_at__gt=F("approved_at"),
                ),
                name="approved_version_has_times",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.notebook.title} v{self.number}"

    def get_absolute_url(self) -> str:
        """Return the address of the version's source page."""
        return reverse("gallery:version", args=[self.notebook.slug, self.number])

    @property
    def audit_data(self) -> dict[str, object]:
        """What every event about this version names."""
        return {
            "notebook": self.notebook.slug,
            "number": self.number,
            "digest": self.digest,
        }

    @property
    def short_digest(self) -> str:
        """The eight hex digits that stand in the seal."""
        return self.digest[:8]
