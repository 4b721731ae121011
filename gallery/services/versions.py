"""Turn an upload into a version: read, normalise, infer, check, digest, store."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from accounts.models import User
from accounts.policies import BadInput, FieldError, TooLarge, require
from audit.log import record
from gallery.characters import hidden_in_words, plain_lines
from gallery.digest import version_digest
from gallery.environments import Environment, find_environment
from gallery.findings import find, read_tables
from gallery.intake import Intake, IntakeError, read_notebook
from gallery.intake.errors import TooLarge as FileTooLarge
from gallery.limits import clean_limits
from gallery.models import Notebook, Version
from gallery.parameters.infer import Inferred, infer_parameters
from gallery.policies import edit_blockers
from gallery.services.manifest import clean_manifest
from gallery.services.search import index_notebook


class RefusedUpload(BadInput):
    """The file is not a notebook that can be stored."""


@dataclass(frozen=True)
class Upload:
    """What an author sends: the file's bytes and what they say of it."""

    data: bytes = field(repr=False)
    summary: str = ""
    environment: str | None = None
    #: JSON of a manifest, or None for undeclared.
    manifest: Any = None
    #: JSON of the limits that differ from those of every run, or None.
    limits: Any = None


@dataclass(frozen=True)
class Reading:
    """An upload, read and checked; nothing is stored yet."""

    intake: Intake
    inferred: Inferred
    environment: Environment
    manifest: dict[str, Any] | None
    limits: dict[str, int]
    summary: str


def read_upload(upload: Upload) -> Reading:
    """Read and check an upload without touching the database.

    Raises TooLarge, RefusedUpload, UnknownEnvironment, InvalidManifest or InvalidLimits.
    """
    summary = plain_lines(upload.summary)[:500]
    hidden = hidden_in_words(summary)
    if hidden:
        raise RefusedUpload([FieldError("summary", "hidden_character", hidden)])
    try:
        intake = read_notebook(upload.data, max_bytes=settings.NOTEBOOK_MAX_BYTES)
    except IntakeError as error:
        refusal = TooLarge if isinstance(error, FileTooLarge) else RefusedUpload
        raise refusal([FieldError("file", error.code, error.message)]) from error
    return Reading(
        intake=intake,
        inferred=infer_parameters(intake.notebook),
        environment=find_environment(
            requested=upload.environment or None,
            kernel_name=intake.kernel_name,
            locks_dir=settings.ENVIRONMENT_LOCKS_DIR,
        ),
        manifest=clean_manifest(upload.manifest),
        limits=clean_limits(upload.limits),
        summary=summary,
    )


@transaction.atomic
def add_version(
    *, notebook: Notebook, upload: Upload, by: User, now: datetime
) -> Version:
    """Store an upload as the notebook's next version, at `draft`.

    Raises NotAllowed and what `read_upload` raises.
    """
    require(edit_blockers(by, notebook))
    reading = read_upload(upload)
    # The notebook's row lock makes version numbers gapless under concurrent uploads.
    locked = Notebook.objects.select_for_update(no_key=True).get(pk=notebook.pk)
    version = store_version(notebook=locked, reading=reading, by=by, now=now)
    record_upload(version, by=by, now=now)
    return version


def store_version(
    *, notebook: Notebook, reading: Reading, by: User, now: datetime
) -> Version:
    """Check, insert and index the version; the caller records it, which is quick."""
    intake = reading.intake
    approved_too = _approved_with_the_notebook(reading)
    highest = notebook.versions.aggregate(highest=Max("number"))["highest"] or 0
    version = Version.objects.create(
        notebook=notebook,
        number=highest + 1,
        digest=version_digest(notebook=intake.notebook, **approved_too),
        document=intake.document,
        original_sha256=intake.original_sha256,
        **approved_too,
        findings=_findings(reading),
        tables_read=[use.as_dict() for use in read_tables(intake.notebook)],
        removed=list(intake.removed),
        kernel_name=intake.kernel_name,
        language=intake.language,
        summary=reading.summary,
        created_at=now,
        created_by=by,
    )
    index_notebook(notebook)
    return version


def record_upload(version: Version, *, by: User, now: datetime) -> None:
    """Record that the version was uploaded, as the last step of the act."""
    record(
        "version.uploaded",
        by=by,
        at=now,
        target=version,
        original_sha256=version.original_sha256,
    )


def _approved_with_the_notebook(reading: Reading) -> dict[str, Any]:
    """What the digest covers besides the notebook, under the names of the columns."""
    return {
        "parameters": reading.inferred.schema,
        "binding_mode": reading.inferred.binding_mode,
        "environment": reading.environment.name,
        "environment_lock_sha256": reading.environment.lock_sha256,
        "manifest": reading.manifest,
        "data_sources": list(settings.DATA_SOURCES),
        "limits": reading.limits,
    }


def _findings(reading: Reading) -> list[dict[str, Any]]:
    found = find(
        reading.intake.notebook,
        environment_packages=set(reading.environment.packages),
        manifest=reading.manifest,
    )
    return [finding.as_dict() for finding in found]
