"""What a group of people opens: notebooks whose signed audience names it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.contrib.auth.models import Group
from guardian.models import GroupObjectPermission

from accounts.models import User
from audit.models import Event
from gallery.access import LAUNCH, launch_audience
from gallery.models import Notebook, Version
from gallery.workflow import Status
from reviews.models import Meaning, Signature

JOINED = "person.joined_group"
#: The signatures with which compliance answers for an audience.
_ANSWERS_FOR_AUDIENCE = (Meaning.COMPLIANCE_APPROVED, Meaning.AUDIENCE_WIDENED)


@dataclass(frozen=True)
class CameIn:
    """People, with reasons, who joined a group of the audience after the signature."""

    group: str
    people: tuple[str, ...]


def opened_by(groups: Iterable[Group]) -> dict[str, list[Version]]:
    """Return, by group name, the approved versions that its members may launch.

    Only notebooks open to named people and groups: who else comes to these through a
    group comes to an audience that compliance signed.
    """
    grants = GroupObjectPermission.objects.filter(
        group__in=list(groups),
        permission__codename=LAUNCH,
        content_type__app_label="gallery",
        content_type__model="notebook",
    ).values_list("group__name", "object_pk")
    opened: dict[str, list[Version]] = {}
    versions = {
        str(version.notebook_id): version
        for version in Version.objects.filter(
            status=Status.APPROVED,
            notebook__launch_restricted=True,
            notebook__in=[int(pk) for _, pk in grants],
        )
        .select_related("notebook")
        .defer("document")
    }
    for name, pk in grants:
        if pk in versions:
            opened.setdefault(name, []).append(versions[pk])
    for found in opened.values():
        found.sort(key=lambda version: version.notebook.title)
    return opened


def audience_signature(version: Version) -> Signature | None:
    """Return the last signature that answers for who may launch this version."""
    signed: Signature | None = (
        version.signatures.filter(meaning__in=_ANSWERS_FOR_AUDIENCE)
        .order_by("signed_at", "pk")
        .last()
    )
    return signed


def came_in_since(signature: Signature, notebook: Notebook) -> list[CameIn]:
    """Return who joined a group of the launch audience after it was signed."""
    groups = launch_audience(notebook).groups
    joined = (
        Event.objects.filter(
            action=JOINED, at__gt=signature.signed_at, data__group__in=list(groups)
        )
        .order_by("seq")
        .values_list("data__group", "target_id", "data__reason")
    )
    reasons: dict[str, dict[int, str]] = {}
    for group, person_id, reason in joined:
        reasons.setdefault(group, {})[int(person_id)] = reason or ""
    found = [CameIn(name, _still_in(name, reasons[name])) for name in sorted(reasons)]
    return [each for each in found if each.people]


def _still_in(group: str, reasons: Mapping[int, str]) -> tuple[str, ...]:
    """Name the members among these people, each with the reason that was given."""
    members = User.objects.filter(pk__in=reasons, groups__name=group, is_active=True)
    return tuple(
        f"{person.printed_name} ({reason})"
        if (reason := reasons[person.pk])
        else person.printed_name
        for person in members.order_by("username")
    )
