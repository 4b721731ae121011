"""Reads for the pages about people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import Group
from django.db.models import Count, Max, Q

from accounts.models import Session, User

if TYPE_CHECKING:
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
    return people.annotate(
        last_active_at=Max("sessions__last_active_at")
    ).prefetch_related("role_assignments", "persona_assignments", "groups")


def groups_with_members() -> QuerySet[Group]:
    """All groups by name, with how many people are in each (`members`)."""
    return Group.objects.annotate(members=Count("user")).order_by("name")


def open_sessions(person: User, *, now: datetime) -> list[Session]:
    """The sessions in which `person` is signed in, the last used first."""
    return list(person.sessions.filter(expire_date__gt=now))
