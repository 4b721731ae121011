"""Bare rows for tests of what the database itself enforces, without the services."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.models import User
from audit.log import record, stamp
from gallery.access import launch_audience
from gallery.environments import find_environment
from gallery.models import Notebook, Version
from reviews.models import Meaning, Review, Signature, SignOff
from reviews.sheet import in_force
from reviews.signing import Confirmation, sign

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
DIGEST = "ab" * 32


def notebook_row(by: User, slug: str = "trends") -> Notebook:
    """Insert a notebook."""
    return Notebook.objects.create(
        slug=slug, title="Trends", language="python", created_at=NOW, created_by=by
    )


def version_row(notebook: Notebook, by: User, **fields: Any) -> Version:
    """Insert a version at `draft`."""
    values: dict[str, Any] = {
        "number": notebook.versions.count() + 1,
        "digest": DIGEST,
        "document": b'{"cells": []}',
        "original_sha256": DIGEST,
        "parameters": {},
        "binding_mode": "append",
        "environment": "python-analytics",
        "data_sources": ["hospital"],
        "kernel_name": "python3",
        "language": "python",
        "created_at": NOW,
    }
    values |= fields
    if "environment_lock_sha256" not in values:
        values["environment_lock_sha256"] = _lock_sha256(values["environment"])
    return Version.objects.create(notebook=notebook, created_by=by, **values)


def _lock_sha256(environment: str) -> str:
    found = find_environment(
        requested=environment, kernel_name="", locks_dir=settings.ENVIRONMENT_LOCKS_DIR
    )
    return found.lock_sha256


def signature_row(
    version: Version, by: User, meaning: Meaning, **also: Any
) -> Signature:
    """Sign as the services do: in force, under the key, with the act in the log."""
    with transaction.atomic():
        signature = sign(
            version=version,
            meaning=meaning,
            statement="",
            by=by,
            confirmation=Confirmation(by.pk, NOW),
            now=NOW,
            in_force={**in_force(version), **also},
        )
        peer = meaning in {Meaning.PEER_REVIEWED, Meaning.CHANGES_REQUESTED}
        action = "review.recorded" if peer else "sign_off.recorded"
        record(action, by=by, at=NOW, target=version)
    return signature


def review_row(version: Version, by: User, decision: str = "approve") -> Review:
    """Insert a peer's decision."""
    return Review.objects.create(
        version=version, decision=decision, reviewed_at=NOW, reviewed_by=by
    )


def sign_off_row(version: Version, by: User, decision: str = "approve") -> SignOff:
    """Insert compliance's decision."""
    return SignOff.objects.create(
        version=version,
        decision=decision,
        audience=launch_audience(version.notebook).as_dict(),
        signed_at=NOW,
        signed_by=by,
    )


def set_status(version: Version, status: str, **fields: Any) -> None:
    """Write a status directly, past every service."""
    Version.objects.filter(pk=version.pk).update(status=status, **fields)


def peer_approve(version: Version, *peers: User) -> None:
    """Take a draft to `peer_approved` with signed reviews."""
    set_status(version, "in_review")
    for peer in peers:
        review_row(version, peer)
        signature_row(version, peer, Meaning.PEER_REVIEWED)
    set_status(version, "peer_approved")


def approve(version: Version, officer: User, *peers: User) -> None:
    """Take a draft to `approved` with every signature it needs."""
    peer_approve(version, *peers)
    sign_off_row(version, officer)
    # Launches ask the real clock, on any day that the tests are run.
    ends_at = NOW.replace(year=NOW.year + 100)
    signature_row(
        version, officer, Meaning.COMPLIANCE_APPROVED, expires_at=stamp(ends_at)
    )
    set_status(version, "approved", approved_at=NOW, approval_expires_at=ends_at)
