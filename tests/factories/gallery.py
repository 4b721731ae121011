"""Notebooks and versions in every state, brought there by the services themselves."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from accounts.models import User
from gallery.models import Notebook, Version
from gallery.services import Upload, add_version, create_notebook
from gallery.workflow import Status
from reviews.services import (
    expire_approvals,
    record_review,
    record_sign_off,
    revoke,
    submit,
    withdraw,
)
from reviews.services.decisions import Decision
from reviews.signing import Confirmation
from tests.gallery import notebooks as files
from tests.support import cast

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PARAMETERS = 'drug: str = "aspirin"  # Drug\nmonths: int = 12  # Months'
QUERY = "rows = read('SELECT drug, prescribed_at FROM clinic.prescriptions')"


def ipynb(*sources: str, parameters: str = PARAMETERS) -> bytes:
    """Return a notebook file: a title, a parameters cell, and code cells."""
    cells = [
        files.markdown("# Prescription trends\nHow often is a drug prescribed?"),
        files.code(parameters, tags=["parameters"]),
        *(files.code(source) for source in sources or (QUERY,)),
    ]
    return files.as_bytes(files.notebook(*cells))


def person(username: str) -> User:
    """Return a member of the cast, by name."""
    return cast.create(username)


def confirmed(by: User, now: datetime = NOW) -> Confirmation:
    """Return the proof that `by` has just given their password."""
    return Confirmation(person_id=by.pk, confirmed_at=now)


def make_notebook(
    *, by: User | None = None, title: str = "Prescription trends", **fields: Any
) -> Notebook:
    """Upload a notebook, by ada unless somebody else is named."""
    upload = Upload(data=fields.pop("data", ipynb()), **fields.pop("upload", {}))
    return create_notebook(
        title=title,
        description=fields.pop("description", "How often is a drug prescribed?"),
        tags=fields.pop("tags", ["prescriptions"]),
        upload=upload,
        by=by or person("ada"),
        now=NOW,
        **fields,
    )


def make_version(
    status: str = Status.DRAFT, *, notebook: Notebook | None = None, **fields: Any
) -> Version:
    """Return a version in `status`, of a new notebook unless one is given.

    ada writes it, ravi and petra review it, carol signs it off.
    """
    if notebook is None:
        version = make_notebook(**fields).versions.get()
    else:
        version = add_version(
            notebook=notebook,
            upload=Upload(data=fields.pop("data", ipynb("print('once more')"))),
            by=notebook.created_by,
            now=NOW,
        )
    for step in PATHS[Status(status)]:
        step(version)
        version.refresh_from_db()
    assert version.status == status
    return version


def _submit(version: Version) -> None:
    submit(version=version, by=version.created_by, now=NOW)


def _withdraw(version: Version) -> None:
    withdraw(version=version, by=version.created_by, now=NOW)


def review(
    version: Version, by: User, decision: str = "approve", comment: str = ""
) -> None:
    """Review as a peer."""
    record_review(
        version=version,
        decision=Decision(decision, comment),
        by=by,
        confirmation=confirmed(by),
        now=NOW,
    )


def sign_off(
    version: Version, by: User, decision: str = "approve", comment: str = ""
) -> None:
    """Sign off for compliance."""
    record_sign_off(
        version=version,
        decision=Decision(decision, comment),
        by=by,
        confirmation=confirmed(by),
        now=NOW,
    )


def _peers(version: Version) -> None:
    review(version, person("ravi"))
    review(version, person("petra"), comment="Reads what it says.")


def _request_changes(version: Version) -> None:
    review(version, person("ravi"), "request_changes", "The join drops rows.")


def _sign_off(version: Version) -> None:
    sign_off(version, person("carol"))


def _revoke(version: Version) -> None:
    carol = person("carol")
    revoke(
        version=version,
        reason="It counts refills twice.",
        by=carol,
        confirmation=confirmed(carol),
        now=NOW,
    )


def _expire(version: Version) -> None:
    expire_approvals(now=NOW + timedelta(days=settings.APPROVAL_VALID_DAYS))


def _supersede(version: Version) -> None:
    make_version(Status.APPROVED, notebook=version.notebook)


_APPROVE = (_submit, _peers, _sign_off)
PATHS: dict[Status, tuple[Callable[[Version], None], ...]] = {
    Status.DRAFT: (),
    Status.IN_REVIEW: (_submit,),
    Status.PEER_APPROVED: (_submit, _peers),
    Status.APPROVED: _APPROVE,
    Status.CHANGES_REQUESTED: (_submit, _request_changes),
    Status.WITHDRAWN: (_submit, _withdraw),
    Status.REVOKED: (*_APPROVE, _revoke),
    Status.EXPIRED: (*_APPROVE, _expire),
    Status.SUPERSEDED: (*_APPROVE, _supersede),
}


def as_data(content: bytes) -> dict[str, Any]:
    """Return a file's notebook as data."""
    loaded: dict[str, Any] = json.loads(content)
    return loaded
