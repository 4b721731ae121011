"""Bare rows for tests of what the database itself enforces, without the services."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from accounts.models import User
from gallery.environments import find_environment
from gallery.models import Notebook, Version
from reviews.models import Meaning, Review, Signature, SignOff

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


def signature_row(version: Version, by: User, meaning: Meaning) -> Signature:
    """Insert a signature that names the version's digest."""
    return Signature.objects.create(
        version=version,
        person=by,
        meaning=meaning,
        printed_name=by.printed_name,
        signed_at=NOW,
        digest=version.digest,
        payload="{}",
        signature=b"s" * 64,
        public_key=b"k" * 32,
    )


def review_row(version: Version, by: User, decision: str = "approve") -> Review:
    """Insert a peer's decision."""
    return Review.objects.create(
        version=version, decision=decision, reviewed_at=NOW, reviewed_by=by
    )


def sign_off_row(version: Version, by: User, decision: str = "approve") -> SignOff:
    """Insert compliance's decision."""
    return SignOff.objects.create(
        version=version, decision=decision, audience={}, signed_at=NOW, signed_by=by
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
    signature_row(version, officer, Meaning.COMPLIANCE_APPROVED)
    set_status(
        version,
        "approved",
        approved_at=NOW,
        # Launches ask the real clock, on any day that the tests are run.
        approval_expires_at=NOW.replace(year=NOW.year + 100),
    )
