"""What a role may allow, and the one question the code asks: `has_permission`.

Permissions say who may; whether it may happen now is a policy's business.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


class Permission(StrEnum):
    """One thing that a role may do.  Values appear in pages and in events."""

    AUDIT_READ = "audit:read"
    NOTEBOOK_SUBMIT = "notebook:submit"
    OPERATIONS_READ = "operations:read"
    PEOPLE_MANAGE = "people:manage"
    POLICY_ASSIGN = "policy:assign"
    SOURCE_READ = "source:read"
    VERSION_REVIEW = "version:review"
    VERSION_REVOKE = "version:revoke"
    VERSION_SIGN_OFF = "version:sign_off"

    @property
    def words(self) -> str:
        """The permission as a phrase that follows "may"."""
        return PERMISSION_WORDS[self]


PERMISSION_WORDS: dict[Permission, str] = {
    Permission.AUDIT_READ: "read, verify and export the audit log",
    Permission.NOTEBOOK_SUBMIT: "upload notebooks and submit them for review",
    Permission.OPERATIONS_READ: "see the state of the service",
    Permission.PEOPLE_MANAGE: "keep people, roles, groups and personas",
    Permission.POLICY_ASSIGN: "set a notebook's review policy",
    Permission.SOURCE_READ: "read the code of submitted notebooks",
    Permission.VERSION_REVIEW: "review versions as a peer",
    Permission.VERSION_REVOKE: "revoke an approved version",
    Permission.VERSION_SIGN_OFF: "sign versions off for compliance",
}


def has_permission(user: User | AnonymousUser, permission: Permission) -> bool:
    """Whether an active, signed-in person holds a role that allows `permission`.

    Being a Django superuser counts for nothing here.
    """
    return has_any_permission(user, permission)


def has_any_permission(user: User | AnonymousUser, *permissions: Permission) -> bool:
    """Whether they hold a role that allows one of `permissions`; the roles are asked once."""
    if not (user.is_authenticated and user.is_active):
        return False
    return not user.held_permissions.isdisjoint(permissions)
