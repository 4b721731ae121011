"""Reasons why something may not be done, and how a service refuses.

Also the rules of this app: who may keep whose account.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts.permissions import Permission, has_permission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accounts.models import User


@dataclass(frozen=True)
class Blocker:
    """One reason why not: a stable code, and a sentence for the person."""

    code: str
    message: str


@dataclass(frozen=True)
class StateBlocker(Blocker):
    """A reason that lies in the present state, not in who the person is."""


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with one input: its name, a stable code, a sentence."""

    field: str
    code: str
    message: str


class NotAllowed(Exception):
    """You may not do this now; `blockers` say why."""

    def __init__(self, blockers: list[Blocker]) -> None:
        super().__init__(" ".join(blocker.message for blocker in blockers))
        self.blockers = blockers


class NotNow(NotAllowed):
    """You may do this, but not in the state that things are in now."""


class TooMany(NotAllowed):
    """You may do this, but not as often, or as much of it, at one time."""


class Unavailable(Exception):
    """A part of the service that this needs does not answer; try again later."""


class BadInput(Exception):
    """What was sent cannot be used; `errors` name the fields and say why."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(" ".join(error.message for error in errors))
        self.errors = list(errors)


class TooLarge(BadInput):
    """What was sent is larger than we take."""


def require(blockers: list[Blocker]) -> None:
    """Go on only when nothing is in the way.

    Raises NotNow when only the present state is in the way, else NotAllowed.
    """
    if not blockers:
        return
    if all(isinstance(blocker, StateBlocker) for blocker in blockers):
        raise NotNow(blockers)
    raise NotAllowed(blockers)


PERMISSION_MISSING = {
    Permission.AUDIT_READ: "Only auditors read the audit log.",
    Permission.PEOPLE_MANAGE: "Only operators keep people, roles and personas.",
}


def permission_blockers(user: User, permission: Permission) -> list[Blocker]:
    """Why `user` lacks `permission`; nothing when they have it."""
    if has_permission(user, permission):
        return []
    message = PERMISSION_MISSING.get(
        permission, f"None of your roles lets you {permission.words}."
    )
    return [Blocker("missing_permission", message)]


def keep_person_blockers(by: User | None, person: User | None) -> list[Blocker]:
    """Why `by` may not change the account of `person` (None: make a new one).

    `by` is None for whoever runs a command on the server itself.
    """
    if by is None:
        return []
    blockers = permission_blockers(by, Permission.PEOPLE_MANAGE)
    if person is not None and by.pk == person.pk:
        blockers.append(
            Blocker(
                "own_account", "Nobody keeps their own account: ask another operator."
            )
        )
    return blockers
