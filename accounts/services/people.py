"""Operators keep people, their roles, groups and personas; each change an event.

Every function takes `by`, the operator, or None for a command on the server.  All
raise NotAllowed when `by` may not, among others when it is their own account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import Group
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction

from accounts.models import PersonaAssignment, RoleAssignment, User
from accounts.policies import keep_person_blockers, require
from accounts.queries import PersonaChange, persona_changes
from audit.log import record
from audit.transitions import StaleState

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

#: An event holds 4,096 bytes, and a notebook's name in addresses up to 80.
_NAMED_IN_AN_EVENT = 30


@transaction.atomic
def create_person(
    *, username: str, display_name: str = "", by: User | None, now: datetime
) -> User:
    """Make an account without a password: its owner chooses one through a link.

    Raises ValidationError when the name is taken or malformed.
    """
    require(keep_person_blockers(by, None))
    person = User(username=username, display_name=display_name, date_joined=now)
    person.set_unusable_password()
    person.full_clean()
    person.save(force_insert=True)
    record("person.created", by=by, at=now, target=person, printed_name=display_name)
    return person


@transaction.atomic
def rename_person(
    *, person: User, display_name: str, by: User | None, now: datetime
) -> None:
    """Change the name that is printed beside signatures from now on."""
    require(keep_person_blockers(by, person))
    was = person.display_name
    if was == display_name:
        return
    _change(person, {"display_name": was}, {"display_name": display_name})
    record("person.renamed", by=by, at=now, target=person, to=display_name, was=was)


@transaction.atomic
def set_roles(
    *, person: User, roles: Collection[str], by: User | None, now: datetime
) -> None:
    """Let `person` hold exactly `roles`; one event for each that comes or goes."""
    require(keep_person_blockers(by, person))
    _lock(person)
    held = set(person.role_assignments.values_list("role", flat=True))
    granted, taken = sorted(set(roles) - held), sorted(held - set(roles))
    RoleAssignment.objects.bulk_create(
        [RoleAssignment(person=person, role=role) for role in granted]
    )
    person.role_assignments.filter(role__in=taken).delete()
    for role in granted:
        record("person.role_granted", by=by, at=now, target=person, role=role)
    for role in taken:
        record("person.role_taken", by=by, at=now, target=person, role=role)


@transaction.atomic
def set_personas(
    *, person: User, personas: Mapping[str, str], by: User | None, now: datetime
) -> None:
    """Let `person` hold exactly `personas` (persona to department)."""
    require(keep_person_blockers(by, person))
    _lock(person)
    held = dict(person.persona_assignments.values_list("persona", "department"))
    for persona in sorted(held.keys() - personas.keys()):
        person.persona_assignments.filter(persona=persona).delete()
    changed = {
        persona: department
        for persona, department in sorted(personas.items())
        if held.get(persona) != department
    }
    for persona, department in changed.items():
        PersonaAssignment.objects.update_or_create(
            person=person, persona=persona, defaults={"department": department}
        )
    for persona, department in changed.items():
        record(
            "person.persona_moved" if persona in held else "person.persona_granted",
            by=by,
            at=now,
            target=person,
            persona=persona,
            department=department,
            was=held.get(persona),
        )
    for persona in sorted(held.keys() - personas.keys()):
        record("person.persona_taken", by=by, at=now, target=person, persona=persona)


@transaction.atomic
def set_groups(
    *,
    person: User,
    groups: Collection[Group],
    by: User | None,
    now: datetime,
    reason: str = "",
    opens: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Let `person` be in exactly `groups`.

    `opens` says by group name what joining it opens to them, and `reason` why they
    join; both stand in the event.
    """
    require(keep_person_blockers(by, person))
    _lock(person)
    held = {group.pk: group for group in person.groups.all()}
    wanted = {group.pk: group for group in groups}
    person.groups.set(groups)
    for key in sorted(wanted.keys() - held.keys()):
        name = wanted[key].name
        why: dict[str, object] = {"reason": reason} if reason else {}
        if opened := list((opens or {}).get(name, ())):
            # As many as an event has room for; the number tells of the rest.
            why |= {"opens": opened[:_NAMED_IN_AN_EVENT], "opens_count": len(opened)}
        record("person.joined_group", by=by, at=now, target=person, group=name, **why)
    for key in sorted(held.keys() - wanted.keys()):
        record("person.left_group", by=by, at=now, target=person, group=held[key].name)


@transaction.atomic
def create_group(*, name: str, by: User | None, now: datetime) -> Group:
    """Make an empty group.  Raises ValidationError when the name is taken."""
    require(keep_person_blockers(by, None))
    group = Group(name=name)
    group.full_clean()
    group.save(force_insert=True)
    record("group.created", by=by, at=now, target=group)
    return group


@transaction.atomic
def delete_group(*, group: Group, by: User | None, now: datetime) -> None:
    """Delete a group and whatever its members could reach only through it."""
    require(keep_person_blockers(by, None))
    members = group.user_set.count()
    deleted = Group(pk=group.pk, name=group.name)
    group.delete()
    record("group.deleted", by=by, at=now, target=deleted, members=members)


@transaction.atomic
def deactivate_person(
    *, person: User, reason: str, by: User | None, now: datetime
) -> None:
    """Close an account at once: its sessions end now, its runs within seconds.

    Raises StaleState when it is closed already.
    """
    require(keep_person_blockers(by, person))
    _change(person, {"is_active": True}, {"is_active": False})
    ended, _ = person.sessions.all().delete()
    record(
        "person.deactivated",
        by=by,
        at=now,
        target=person,
        reason=reason,
        sessions_ended=ended,
    )


@transaction.atomic
def reactivate_person(*, person: User, by: User | None, now: datetime) -> None:
    """Open a closed account again, with the roles that it had.  Raises StaleState."""
    require(keep_person_blockers(by, person))
    _change(person, {"is_active": False}, {"is_active": True})
    record("person.reactivated", by=by, at=now, target=person)


@transaction.atomic
def end_sessions(*, person: User, by: User | None, now: datetime) -> int:
    """Sign `person` out everywhere; returns how many sessions ended."""
    require(keep_person_blockers(by, person))
    ended, _ = person.sessions.all().delete()
    record("person.sessions_ended", by=by, at=now, target=person, sessions_ended=ended)
    return ended


@transaction.atomic
def reset_password(*, person: User, by: User | None, now: datetime) -> str:
    """Void the password, end all sessions, and return a token for a new one.

    The token works once and soon expires.  No operator ever knows a password: one
    who used the link would lock its owner out, and be named in the log.
    """
    require(keep_person_blockers(by, person))
    person.set_unusable_password()
    person.save(update_fields=["password"])
    ended, _ = person.sessions.all().delete()
    record("person.password_reset", by=by, at=now, target=person, sessions_ended=ended)
    return password_link_token(person)


def password_link_token(person: User) -> str:
    """A token with which `person` may choose a password, once."""
    return default_token_generator.make_token(person)


def _lock(person: User) -> None:
    """Let changes to one account take turns."""
    User.objects.select_for_update(no_key=True).get(pk=person.pk)


def _change(person: User, was: dict[str, object], to: dict[str, object]) -> None:
    if not User.objects.filter(pk=person.pk, **was).update(**to):
        raise StaleState(person)
    person.refresh_from_db(fields=list(to))


@transaction.atomic
def sync_personas(
    *, holdings: Mapping[str, Mapping[str, str]], by: User | None, now: datetime
) -> list[PersonaChange]:
    """Make everybody hold exactly what `holdings` say; who is not in it holds nothing.

    Returns what changed.  Raises UnknownPeople, and changes nothing then.
    """
    changes = persona_changes(holdings)
    for username in {change.username for change in changes}:
        set_personas(
            person=User.objects.get(username=username),
            personas=holdings.get(username, {}),
            by=by,
            now=now,
        )
    return changes
