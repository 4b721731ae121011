"""Change who may launch a notebook and who may read its code."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.policies import FieldError, require
from audit.chain import canonical_json
from audit.log import record
from gallery.access import (
    co_authors,
    launch_audience,
    review_audience,
    source_audience,
)
from gallery.models import Notebook, Version
from gallery.queries import approved_version
from gallery.services.access import Audiences, InvalidAudience, apply_audiences
from gallery.workflow import UNDER_REVIEW
from reviews.models import DECIDING, Meaning, Signature
from reviews.policies import access_blockers
from reviews.signing import Confirmation, NotConfirmed, sign

#: An event holds 4,096 bytes; this leaves room for what else stands in it.
_MAX_NAMED_BYTES = 3500


def widens_approved(notebook: Notebook, audiences: Audiences) -> bool:
    """Tell whether a change lets somebody launch beyond what was signed off."""
    return approved_version(notebook) is not None and audiences.launch.is_wider_than(
        launch_audience(notebook)
    )


@transaction.atomic
def change_access(
    *,
    notebook: Notebook,
    audiences: Audiences,
    by: User,
    confirmation: Confirmation | None,
    now: datetime,
) -> Notebook:
    """Replace audiences and co-authors; widening an approved launch audience is signed.

    Raises NotAllowed, NotConfirmed, InvalidAudience.
    """
    notebook = Notebook.objects.select_for_update(no_key=True).get(pk=notebook.pk)
    widens = widens_approved(notebook, audiences)
    require(access_blockers(by, notebook, widens_approved=widens))
    audiences = _completed(notebook, audiences)
    if audiences == present_audiences(notebook):
        return notebook
    _require_unsigned_hands(notebook, audiences)
    apply_audiences(notebook, audiences)
    approved = approved_version(notebook) if widens else None
    if approved is not None:
        _sign_widening(approved, audiences, by=by, confirmation=confirmation, now=now)
    record(
        "access.changed",
        by=by,
        at=now,
        target=notebook,
        launch=_named(audiences.launch.as_dict()),
        source=_named(audiences.source.as_dict()),
        review=_reviewers(audiences),
        edit=list(audiences.edit or ()),
        signed=widens,
    )
    return Notebook.objects.get(pk=notebook.pk)


def present_audiences(notebook: Notebook) -> Audiences:
    """Return who may do what now."""
    return Audiences(
        launch=launch_audience(notebook),
        source=source_audience(notebook),
        review=review_audience(notebook),
        edit=co_authors(notebook),
    )


def _completed(notebook: Notebook, audiences: Audiences) -> Audiences:
    """Say of everything how it will be, for the comparison and for the event."""
    present = present_audiences(notebook)
    maker = notebook.created_by.username
    edit = present.edit if audiences.edit is None else audiences.edit
    completed = replace(
        audiences,
        review=audiences.review or present.review,
        edit=tuple(sorted(set(edit or ()) - {maker})),
    )
    _require_recordable(completed)
    return completed


def _require_unsigned_hands(notebook: Notebook, audiences: Audiences) -> None:
    """Refuse as co-author who has decided on a version that is under review.

    Their decision would be on their own work.
    """
    signed = Signature.objects.filter(
        version__notebook=notebook,
        version__status__in=UNDER_REVIEW,
        meaning__in=DECIDING,
        person__username__in=audiences.edit or (),
    ).first()
    if signed is not None:
        message = (
            f"{signed.printed_name} has signed version {signed.version.number}, which "
            "is under review. Wait for its end."
        )
        raise InvalidAudience([FieldError("edit", "has_signed", message)])


def _require_recordable(audiences: Audiences) -> None:
    """Refuse more names than the event, which holds every one of them, has room for."""
    names = {
        "launch": _named(audiences.launch.as_dict()),
        "source": _named(audiences.source.as_dict()),
        "review": _reviewers(audiences),
        "edit": list(audiences.edit or ()),
    }
    if len(canonical_json(names).encode("utf-8")) > _MAX_NAMED_BYTES:
        message = "These are too many names. Ask an operator for a group of them."
        raise InvalidAudience([FieldError("launch", "too_many", message)])


def _sign_widening(
    version: Version,
    audiences: Audiences,
    *,
    by: User,
    confirmation: Confirmation | None,
    now: datetime,
) -> None:
    if confirmation is None:
        raise NotConfirmed
    sign(
        version=version,
        meaning=Meaning.AUDIENCE_WIDENED,
        statement=f"May launch: {', '.join(_named(audiences.launch.as_dict()))}",
        by=by,
        confirmation=confirmation,
        now=now,
        in_force={"audience": audiences.launch.as_dict()},
    )


def _reviewers(audiences: Audiences) -> list[str]:
    if audiences.review is None or audiences.review.everyone:
        return ["everyone with the role"]
    return _named(audiences.review.as_dict())


def _named(audience: dict[str, object]) -> list[str]:
    if audience["everyone"]:
        return ["everyone who holds a persona"]
    return [*audience["groups"], *audience["people"]]  # type: ignore[misc]  # lists of names
