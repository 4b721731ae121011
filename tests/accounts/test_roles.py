"""Roles and permissions as data: the whole matrix, and who counts as having one."""

from dataclasses import replace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction

from accounts.models import RoleAssignment, User
from accounts.permissions import PERMISSION_WORDS, Permission, has_permission
from accounts.policies import (
    Blocker,
    NotAllowed,
    keep_person_blockers,
    permission_blockers,
    require,
)
from accounts.roles import ROLES, Role, permissions_of

P = Permission
MATRIX: dict[Role, set[Permission]] = {
    Role.AUTHOR: {P.NOTEBOOK_SUBMIT, P.SOURCE_READ},
    Role.PEER_REVIEWER: {P.VERSION_REVIEW, P.SOURCE_READ},
    Role.COMPLIANCE_OFFICER: {
        P.VERSION_SIGN_OFF,
        P.VERSION_REVOKE,
        P.POLICY_ASSIGN,
        P.SOURCE_READ,
    },
    Role.OPERATOR: {P.PEOPLE_MANAGE, P.OPERATIONS_READ},
    Role.AUDITOR: {P.AUDIT_READ, P.OPERATIONS_READ, P.SOURCE_READ},
}
"""Written out by hand: a change of rights must be made twice."""


def person_with(*roles: str) -> User:
    person = User.objects.create(username="zoe")
    for role in roles:
        RoleAssignment.objects.create(person=person, role=role)
    return person


@pytest.mark.security
@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("role", Role)
def test_each_role_has_its_permissions_and_no_other(db, role, permission):
    person = person_with(role)
    assert has_permission(person, permission) is (permission in MATRIX[role])
    blockers = permission_blockers(person, permission)
    assert bool(blockers) is (permission not in MATRIX[role])


@pytest.mark.parametrize("permission", Permission)
def test_without_a_role_nobody_may_anything(nora, permission):
    assert not has_permission(nora, permission)


@pytest.mark.parametrize("permission", Permission)
def test_the_anonymous_may_nothing(permission):
    assert not has_permission(AnonymousUser(), permission)


@pytest.mark.security
@pytest.mark.parametrize("permission", Permission)
def test_a_closed_account_may_nothing(db, permission):
    person = person_with(*Role)
    assert has_permission(person, permission)
    person.is_active = False
    assert not has_permission(person, permission)


def test_several_roles_add_up(db):
    person = person_with(Role.AUTHOR, Role.AUDITOR)
    assert person.held_permissions == MATRIX[Role.AUTHOR] | MATRIX[Role.AUDITOR]
    assert person.roles == {"author", "auditor"}


def test_an_unknown_role_allows_nothing():
    assert permissions_of({"emperor"}) == frozenset()


def test_every_role_is_defined_in_words():
    assert set(ROLES) == set(Role)
    for definition in ROLES.values():
        assert definition.name
        assert definition.description.endswith(".")
        assert replace(definition) == definition


def test_every_permission_is_held_by_a_role_and_has_words():
    assert {p for role in ROLES.values() for p in role.permissions} == set(Permission)
    assert set(PERMISSION_WORDS) == set(Permission)


@pytest.mark.security
def test_a_role_that_is_unknown_cannot_be_stored(ada):
    with pytest.raises(IntegrityError), transaction.atomic():
        RoleAssignment.objects.create(person=ada, role="emperor")


def test_a_role_is_held_once(ada):
    with pytest.raises(IntegrityError), transaction.atomic():
        RoleAssignment.objects.create(person=ada, role="author")


@pytest.mark.security
def test_there_are_no_superusers(db):
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(username="root", is_superuser=True)
    with pytest.raises(RuntimeError, match="create_operator"):
        User.objects.create_superuser("root", "", "pw")


def test_require_raises_with_every_reason():
    blockers = [Blocker("a", "First."), Blocker("b", "Second.")]
    with pytest.raises(NotAllowed) as refusal:
        require(blockers)
    assert refusal.value.blockers == blockers
    assert str(refusal.value) == "First. Second."
    require([])


@pytest.mark.security
def test_an_operator_keeps_others_and_never_themselves(otto, ada):
    assert keep_person_blockers(otto, ada) == []
    assert keep_person_blockers(otto, None) == []
    assert [b.code for b in keep_person_blockers(otto, otto)] == ["own_account"]


@pytest.mark.security
@pytest.mark.parametrize("who", ["ada", "ravi", "carol", "iris", "nora", "adams"])
def test_nobody_else_keeps_accounts(request, who, petra):
    person = request.getfixturevalue(who)
    assert [b.code for b in keep_person_blockers(person, petra)] == [
        "missing_permission"
    ]
    codes = [b.code for b in keep_person_blockers(person, person)]
    assert codes == ["missing_permission", "own_account"]


def test_a_command_on_the_server_may(ada):
    assert keep_person_blockers(None, ada) == []


@pytest.mark.parametrize(
    ("fields", "printed"),
    [
        ({"display_name": "Dr. Ada Lovelace"}, "Dr. Ada Lovelace"),
        ({"first_name": "Ada", "last_name": "L"}, "Ada L"),
        ({}, "ada"),
    ],
)
def test_the_printed_name_falls_back_to_the_user_name(fields, printed):
    assert User(username="ada", **fields).printed_name == printed
