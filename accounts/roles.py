"""The five roles as data: what each is for and what it allows."""

from dataclasses import dataclass
from enum import StrEnum

from accounts.permissions import Permission


class Role(StrEnum):
    """A duty in the life of a notebook.  Values are stored; never rename one."""

    AUTHOR = "author"
    PEER_REVIEWER = "peer_reviewer"
    COMPLIANCE_OFFICER = "compliance_officer"
    OPERATOR = "operator"
    AUDITOR = "auditor"


@dataclass(frozen=True)
class RoleDefinition:
    """A role in words, and the permissions that it carries."""

    name: str
    description: str
    permissions: frozenset[Permission]


ROLES: dict[Role, RoleDefinition] = {
    Role.AUTHOR: RoleDefinition(
        name="Author",
        description="Writes notebooks and submits versions for review.",
        permissions=frozenset({Permission.NOTEBOOK_SUBMIT, Permission.SOURCE_READ}),
    ),
    Role.PEER_REVIEWER: RoleDefinition(
        name="Peer reviewer",
        description="Reads the code of other people's versions, comments, and "
        "approves them or asks for changes.",
        permissions=frozenset({Permission.VERSION_REVIEW, Permission.SOURCE_READ}),
    ),
    Role.COMPLIANCE_OFFICER: RoleDefinition(
        name="Compliance officer",
        description="Signs reviewed versions off for use on real data, and revokes "
        "them.",
        permissions=frozenset(
            {
                Permission.VERSION_SIGN_OFF,
                Permission.VERSION_REVOKE,
                Permission.POLICY_ASSIGN,
                Permission.SOURCE_READ,
            }
        ),
    ),
    Role.OPERATOR: RoleDefinition(
        name="Operator",
        description="Keeps accounts, roles, groups and personas, and watches the "
        "service.  Reads neither code nor results.",
        permissions=frozenset({Permission.PEOPLE_MANAGE, Permission.OPERATIONS_READ}),
    ),
    Role.AUDITOR: RoleDefinition(
        name="Auditor",
        description="Reads the audit log and verifies it.  Changes nothing.",
        permissions=frozenset(
            {
                Permission.AUDIT_READ,
                Permission.OPERATIONS_READ,
                Permission.SOURCE_READ,
            }
        ),
    ),
}

ROLE_CHOICES = [(role.value, definition.name) for role, definition in ROLES.items()]


def permissions_of(roles: set[str]) -> frozenset[Permission]:
    """Everything that `roles` allow together; an unknown role allows nothing."""
    return frozenset(
        permission
        for role, definition in ROLES.items()
        if role.value in roles
        for permission in definition.permissions
    )
