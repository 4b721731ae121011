"""Store who may launch and who may read the code."""

from dataclasses import dataclass
from typing import Any, cast

from django.contrib.auth.models import Group
from django.db.models import QuerySet
from guardian.shortcuts import (
    assign_perm,
    get_groups_with_perms,
    get_users_with_perms,
    remove_perm,
)

from accounts.models import User
from accounts.policies import BadInput, FieldError
from gallery.access import EDIT, LAUNCH, REVIEW, SOURCE, Audience
from gallery.models import Notebook


class InvalidAudience(BadInput):
    """The audience names a person or group that does not exist."""


@dataclass(frozen=True)
class Audiences:
    """Who may do what with a notebook; None leaves co-authors or reviewers as they are."""

    launch: Audience
    source: Audience
    review: Audience | None = None
    edit: tuple[str, ...] | None = None


def read_audience(name: str, value: Any) -> Audience:
    """Turn the API's form into an audience.

    `null`, `"everyone"` or `{"everyone": true}` is the default audience; otherwise
    `{"groups": […], "people": […]}` or one list that names groups and people.
    Raises InvalidAudience for a malformed value or an unknown name.
    """
    if value is None or value == "everyone":
        return Audience(everyone=True)
    if isinstance(value, dict) and value.get("everyone") is True:
        return Audience(everyone=True)
    if isinstance(value, list):
        value = _split(name, value)
    if not isinstance(value, dict) or not set(value) <= {
        "everyone",
        "groups",
        "people",
    }:
        raise _invalid(name, "Name groups and people, or choose everyone.")
    groups = _names(name, value.get("groups", []))
    people = _names(name, value.get("people", []))
    known = set(Group.objects.filter(name__in=groups).values_list("name", flat=True))
    active = User.objects.filter(username__in=people, is_active=True)
    known_people = set(active.values_list("username", flat=True))
    unknown = sorted(set(groups) - known) + sorted(set(people) - known_people)
    if unknown:
        raise _invalid(name, f"There is nobody and no group named {unknown[0]!r}.")
    return Audience(
        everyone=False,
        groups=tuple(sorted(set(groups))),
        people=tuple(sorted(set(people))),
    )


def read_people(name: str, value: Any) -> tuple[str, ...]:
    """Turn the API's list of people into their names.

    Raises InvalidAudience for a malformed value or an unknown name.
    """
    names = set(_names(name, value))
    active = User.objects.filter(username__in=names, is_active=True)
    unknown = sorted(names - set(active.values_list("username", flat=True)))
    if unknown:
        raise _invalid(name, f"There is nobody named {unknown[0]!r}.")
    return tuple(sorted(names))


def _split(name: str, value: list[Any]) -> dict[str, list[str]]:
    names = _names(name, value)
    groups = set(Group.objects.filter(name__in=names).values_list("name", flat=True))
    return {
        "groups": [each for each in names if each in groups],
        "people": [each for each in names if each not in groups],
    }


def _names(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _invalid(name, "Names must be a list of text.")
    if any(not each.isprintable() for each in value):
        raise _invalid(name, "A name holds characters that no name has.")
    return [each.strip() for each in value if each.strip()]


def _invalid(name: str, message: str) -> InvalidAudience:
    return InvalidAudience([FieldError(name, "invalid_audience", message)])


def apply_audiences(notebook: Notebook, audiences: Audiences) -> None:
    """Replace both audiences; the caller holds the row lock and records the event."""
    Notebook.objects.filter(pk=notebook.pk).update(
        launch_restricted=not audiences.launch.everyone,
        source_restricted=not audiences.source.everyone,
    )
    _replace(notebook, LAUNCH, audiences.launch)
    _replace(notebook, SOURCE, audiences.source)
    if audiences.review is not None:
        restricted = not audiences.review.everyone
        Notebook.objects.filter(pk=notebook.pk).update(review_restricted=restricted)
        _replace(notebook, REVIEW, audiences.review)
    if audiences.edit is not None:
        # Who made the notebook stays its author.
        people = (*audiences.edit, notebook.created_by.username)
        _replace(notebook, EDIT, Audience(everyone=False, people=people))


def _replace(notebook: Notebook, permission: str, audience: Audience) -> None:
    for person in get_users_with_perms(
        notebook, only_with_perms_in=[permission], with_group_users=False
    ):
        remove_perm(permission, person, notebook)
    for group in cast("QuerySet[Group]", get_groups_with_perms(notebook)):
        remove_perm(permission, group, notebook)
    for person in User.objects.filter(username__in=audience.people):
        assign_perm(permission, person, notebook)
    for group in Group.objects.filter(name__in=audience.groups):
        assign_perm(permission, group, notebook)
