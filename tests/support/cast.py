"""The cast: the demo's people as rows, made without spending a second on password hashes."""

from functools import cache

from django.contrib.auth.hashers import make_password

from accounts.models import PersonaAssignment, RoleAssignment, User
from config.demo.people import PASSWORD, PEOPLE

BY_NAME = {person.username: person for person in PEOPLE}


@cache
def password_hash() -> str:
    """A hash of the demo password, computed once."""
    return make_password(PASSWORD)


def create(username: str) -> User:
    """Return a member of the cast, made on first use."""
    found = User.objects.filter(username=username).first()
    if found:
        return found
    person = BY_NAME[username]
    user = User.objects.create(
        username=username, display_name=person.display_name, password=password_hash()
    )
    for role in person.roles:
        RoleAssignment.objects.create(person=user, role=role)
    for persona, department in person.personas:
        PersonaAssignment.objects.create(
            person=user, persona=persona, department=department
        )
    return user
