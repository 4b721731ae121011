"""Reads for the pages about people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import Group
from django.db.models import Count, Max, Q

from accounts.models import PersonaAssignment, Session, User

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.db.models import QuerySet


def people_matching(
    *, text: str = "", role: str = "", state: str = ""
) -> QuerySet[User]:
    """People by name, role and state (``active`` or ``closed``), for the list."""
    people = User.objects.all()
    for word in text.split():
        people = people.filter(
            Q(username__icontains=word) | Q(display_name__icontains=word)
        )
    if role:
        people = people.filter(role_assignments__role=role)
    if state:
        people = people.filter(is_active=state == "active")
    return (
        people.annotate(last_active_at=Max("sessions__last_active_at"))
        .prefetch_related("role_assignments", "persona_assignments", "groups")
        .order_by("username")
    )


def is_signed_in(person: User, *, now: datetime) -> bool:
    """Tell whether the person has a session that stands, for what knows no cookie."""
    return Session.objects.filter(
        person=person,
        expire_date__gt=now,
        last_active_at__gt=now - timedelta(seconds=settings.SESSION_IDLE_S),
    ).exists()


def groups_with_members() -> QuerySet[Group]:
    """All groups by name, with how many people are in each (`members`)."""
    return Group.objects.annotate(members=Count("user")).order_by("name")


def open_sessions(person: User, *, now: datetime) -> list[Session]:
    """The sessions in which `person` is signed in, the last used first."""
    return list(person.sessions.filter(expire_date__gt=now))


def standing_session(
    person_id: int, fingerprint: str, *, now: datetime
) -> Session | None:
    """The session of this fingerprint, while its person is signed in with it."""
    standing = Session.objects.filter(
        person_id=person_id,
        expire_date__gt=now,
        last_active_at__gte=now - timedelta(seconds=settings.SESSION_IDLE_S),
        signed_in_at__gte=now - timedelta(seconds=settings.SESSION_ABSOLUTE_S),
    )
    return next(
        (
            each
            for each in standing.defer("session_data")
            if each.fingerprint == fingerprint
        ),
        None,
    )


@dataclass(frozen=True)
class PersonaChange:
    """One persona that comes, goes (`to` is None) or changes its department."""

    username: str
    persona: str
    was: str | None
    to: str | None


class UnknownPeople(Exception):
    """These user names belong to nobody."""

    def __init__(self, usernames: list[str]) -> None:
        super().__init__(", ".join(usernames))
        self.usernames = usernames


def persona_changes(holdings: Mapping[str, Mapping[str, str]]) -> list[PersonaChange]:
    """What differs between what people hold and `holdings`.  Raises UnknownPeople."""
    known = set(User.objects.values_list("username", flat=True))
    if unknown := sorted(holdings.keys() - known):
        raise UnknownPeople(unknown)
    rows = PersonaAssignment.objects.values_list(
        "person__username", "persona", "department"
    )
    held = {(username, persona): department for username, persona, department in rows}
    wanted = {
        (username, persona): department
        for username, personas in holdings.items()
        for persona, department in personas.items()
    }
    return [
        PersonaChange(*key, was=held.get(key), to=wanted.get(key))
        for key in sorted(held.keys() | wanted.keys())
        if held.get(key) != wanted.get(key)
    ]
