"""Who may see, read, edit and launch a notebook: object permissions with defaults.

The default audience is everyone who holds a persona (launch) and every reviewer,
compliance officer and auditor (source). An owner narrows either to named people
and groups, which are django-guardian's object permissions.
"""

from dataclasses import dataclass
from typing import Any, cast

from django.contrib.auth.models import Group
from django.db.models import Exists, OuterRef, Q, QuerySet
from guardian.shortcuts import get_groups_with_perms, get_users_with_perms

from accounts.models import User
from accounts.permissions import Permission, has_any_permission, has_permission
from gallery.models import Contributor, Grant, Notebook, Version
from gallery.workflow import Status

LAUNCH = "launch_notebook"
SOURCE = "view_source_notebook"
EDIT = "edit_notebook"
REVIEW = "review_notebook"


@dataclass(frozen=True)
class Audience:
    """Named groups and people; `everyone` is the default that nobody narrowed."""

    everyone: bool
    groups: tuple[str, ...] = ()
    people: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Return the JSON form that the API answers and a sign-off signs."""
        return {
            "everyone": self.everyone,
            "groups": list(self.groups),
            "people": list(self.people),
        }

    def is_wider_than(self, other: "Audience") -> bool:
        """Tell whether anyone is in this audience who may not be in the other."""
        if other.everyone:
            return False
        if self.everyone:
            return True
        return bool(
            set(self.groups) - set(other.groups) or set(self.people) - set(other.people)
        )


def launch_audience(notebook: Notebook) -> Audience:
    """Return who may launch the approved version."""
    return _audience(notebook, LAUNCH, restricted=notebook.launch_restricted)


def source_audience(notebook: Notebook) -> Audience:
    """Return who may read the code."""
    return _audience(notebook, SOURCE, restricted=notebook.source_restricted)


def review_audience(notebook: Notebook) -> Audience:
    """Return which of the peer reviewers may review; never the authors."""
    return _audience(notebook, REVIEW, restricted=notebook.review_restricted)


def co_authors(notebook: Notebook) -> tuple[str, ...]:
    """Return who may edit beside the person who made the notebook, by name."""
    people = _holders(notebook, EDIT, with_groups=False)
    names = [each.username for each in people if each.pk != notebook.created_by_id]
    return tuple(sorted(names))


def _holders(
    notebook: Notebook, permission: str, *, with_groups: bool
) -> "QuerySet[User]":
    found = get_users_with_perms(
        notebook, only_with_perms_in=[permission], with_group_users=with_groups
    )
    return cast("QuerySet[User]", found)


def _audience(notebook: Notebook, permission: str, *, restricted: bool) -> Audience:
    if not restricted:
        return Audience(everyone=True)
    people = _holders(notebook, permission, with_groups=False)
    groups = [
        group.name for group, held in _groups(notebook).items() if permission in held
    ]
    return Audience(
        everyone=False,
        groups=tuple(sorted(groups)),
        people=tuple(sorted(person.username for person in people)),
    )


def _groups(notebook: Notebook) -> dict[Group, list[str]]:
    return cast(
        "dict[Group, list[str]]", get_groups_with_perms(notebook, attach_perms=True)
    )


def reads_code_by_role(user: User) -> bool:
    """Tell whether the person's role reads code: reviewer, compliance or auditor."""
    return has_any_permission(
        user,
        Permission.VERSION_REVIEW,
        Permission.VERSION_SIGN_OFF,
        Permission.AUDIT_READ,
    )


def _granted(user: User, permission: str) -> QuerySet[Any, Any]:
    """Return the ids of the notebooks on which a guardian row grants `permission`."""
    held = Grant.objects.filter(user=user, permission=permission)
    return held.values("notebook_id")


def contributed_by(user: User) -> Q:
    """Select the notebooks that the person made, wrote a version of, or may edit."""
    return Q(pk__in=Contributor.objects.filter(user=user).values("notebook_id"))


def source_readable_by(user: User) -> Q:
    """Select the notebooks whose submitted code the person may read."""
    allowed = Q(source_restricted=True, pk__in=_granted(user, SOURCE))
    if reads_code_by_role(user):
        allowed |= Q(source_restricted=False)
    submitted = Version.objects.filter(notebook=OuterRef("pk")).exclude(
        status=Status.DRAFT
    )
    return contributed_by(user) | (allowed & Q(Exists(submitted)))


def launchable_by(user: User) -> Q:
    """Select the notebooks with an approved version that the person may launch."""
    if not user.is_active or not user.personas:
        return Q(pk__in=[])
    approved = Version.objects.filter(notebook=OuterRef("pk"), status=Status.APPROVED)
    named = Q(launch_restricted=True, pk__in=_granted(user, LAUNCH))
    return Q(Exists(approved)) & (Q(launch_restricted=False) | named)


def revocable_by(user: User) -> Q:
    """Select the notebooks whose approval the person may take away.

    No audience hides these: who could narrow it would else put a version that runs
    on real data out of compliance's reach. Their code stays closed.
    """
    if not has_permission(user, Permission.VERSION_REVOKE):
        return Q(pk__in=[])
    approved = Version.objects.filter(notebook=OuterRef("pk"), status=Status.APPROVED)
    return Q(Exists(approved))


def visible_to(user: User) -> QuerySet[Notebook]:
    """Return the notebooks that exist for this person; all others are 404."""
    return Notebook.objects.filter(
        source_readable_by(user) | launchable_by(user) | revocable_by(user)
    )


def can_edit(user: User, notebook: Notebook) -> bool:
    """Tell whether the person may upload versions, submit and set the audience."""
    mine = Notebook.objects.filter(contributed_by(user), pk=notebook.pk)
    return user.is_active and mine.exists()


def can_read_source(user: User, version: Version) -> bool:
    """Tell whether the person may read this version's code; a draft is its authors'."""
    if version.status == Status.DRAFT:
        return can_edit(user, version.notebook)
    readable = Notebook.objects.filter(source_readable_by(user), pk=version.notebook_id)
    return user.is_active and readable.exists()


def can_launch(user: User, notebook: Notebook) -> bool:
    """Tell whether the person belongs to the audience of the approved version."""
    return Notebook.objects.filter(launchable_by(user), pk=notebook.pk).exists()


def named_source_readers(notebook: Notebook) -> list[User]:
    """Return the active people whom a narrowed source audience names, also by group."""
    people = _holders(notebook, SOURCE, with_groups=True)
    return [person for person in people if person.is_active]


def named_reviewers(notebook: Notebook) -> list[User]:
    """Return the active people whom a narrowed review names, also by group."""
    people = _holders(notebook, REVIEW, with_groups=True)
    return [person for person in people if person.is_active]


def reviewable_by(user: User) -> Q:
    """Select the notebooks whose review is open to the person, if their role reviews."""
    named = Q(review_restricted=True, pk__in=_granted(user, REVIEW))
    return Q(review_restricted=False) | named


def can_review(user: User, notebook: Notebook) -> bool:
    """Tell whether the review is open to the person, if their role reviews."""
    return Notebook.objects.filter(reviewable_by(user), pk=notebook.pk).exists()


def contributors(notebook: Notebook) -> set[int]:
    """Return the ids of who made the notebook or a version of it, or may edit it."""
    found = Contributor.objects.filter(notebook=notebook)
    return set(found.values_list("user_id", flat=True))
