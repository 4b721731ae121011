"""Change who may launch a notebook and who may read its code."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.policies import FieldError, require
from audit.chain import canonical_json
from audit.log import record
from gallery.access import launch_audience, source_audience
from gallery.models import Notebook, Version
from gallery.queries import approved_version
from gallery.services.access import Audiences, InvalidAudience, apply_audiences
from reviews.models import Meaning
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
    """Replace both audiences; widening an approved launch audience is signed.

    Raises NotAllowed, NotConfirmed, InvalidAudience.
    """
    _require_recordable(audiences)
    notebook = Notebook.objects.select_for_update(no_key=True).get(pk=notebook.pk)
    widens = widens_approved(notebook, audiences)
    require(access_blockers(by, notebook, widens_approved=widens))
    before = launch_audience(notebook), source_audience(notebook)
    if before == (audiences.launch, audiences.source):
        return notebook
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
        signed=widens,
    )
    return Notebook.objects.get(pk=notebook.pk)


def _require_recordable(audiences: Audiences) -> None:
    """Refuse more names than the event, which holds every one of them, has room for."""
    names = {
        "launch": _named(audiences.launch.as_dict()),
        "source": _named(audiences.source.as_dict()),
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


def _named(audience: dict[str, object]) -> list[str]:
    if audience["everyone"]:
        return ["everyone who holds a persona"]
    return [*audience["groups"], *audience["people"]]  # type: ignore[misc]  # lists of names
