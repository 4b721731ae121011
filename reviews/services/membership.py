"""Put people into groups, which lets them launch what was signed for these groups."""

from collections.abc import Collection
from datetime import datetime

from django.contrib.auth.models import Group
from django.db import transaction

from accounts.models import User
from accounts.policies import BadInput, FieldError
from accounts.services import set_groups
from reviews.membership import opened_by


class ReasonNeeded(BadInput):
    """Joining opens approved notebooks to one more person: somebody has to say why."""

    def __init__(self) -> None:
        message = (
            "This opens approved notebooks to one more person: say why. "
            "Compliance reads it."
        )
        super().__init__([FieldError("reason", "required", message)])


@transaction.atomic
def change_groups(
    *,
    person: User,
    groups: Collection[Group],
    reason: str,
    by: User,
    now: datetime,
) -> None:
    """Let `person` be in exactly `groups`; each joining names what it opens.

    Raises NotAllowed, ReasonNeeded.
    """
    User.objects.select_for_update(no_key=True).get(pk=person.pk)
    reason = " ".join(reason.replace("\x00", "").split())
    joined = {group.pk: group for group in groups}
    for group in person.groups.all():
        joined.pop(group.pk, None)
    opened = opened_by(joined.values())
    if opened and not reason:
        raise ReasonNeeded
    opens = {
        name: [version.notebook.slug for version in versions]
        for name, versions in opened.items()
    }
    set_groups(person=person, groups=groups, reason=reason, opens=opens, by=by, now=now)
