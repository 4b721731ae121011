"""Who holds which persona, copied into a data source: the only way an identity gets there."""

from collections.abc import Iterable
from dataclasses import dataclass

from runner.access.dsn import connected
from runner.access.sources import Dsns


@dataclass(frozen=True)
class PersonAssignment:
    """One person in one persona; `department` is empty where the persona needs none."""

    username: str
    persona: str
    department: str = ""


@dataclass(frozen=True)
class SyncResult:
    """What changed in the data source."""

    added: list[PersonAssignment]
    removed: list[PersonAssignment]
    changed: list[PersonAssignment]


def sync_identities(dsns: Dsns, people: Iterable[PersonAssignment]) -> SyncResult:
    """Make the source's people exactly `people`, in one transaction.

    Whoever is no longer listed reads nothing from that moment on, also in an open session.
    Raises LeaseRefused when a persona is not one of the source's.
    """
    wanted = {(person.username, person.persona): person for person in people}
    with (
        connected(dsns.identity, purpose="to keep identities (identity)") as connection,
        connection.transaction(),
    ):
        connection.execute("LOCK TABLE countersign.people IN SHARE ROW EXCLUSIVE MODE")
        rows = connection.execute(
            "SELECT username, persona, department FROM countersign.people"
        )
        present = {
            (person.username, person.persona): person
            for person in (PersonAssignment(*map(str, row)) for row in rows)
        }
        result = _difference(present, wanted)
        cursor = connection.cursor()
        cursor.executemany(
            "DELETE FROM countersign.people WHERE username = %s AND persona = %s",
            [(person.username, person.persona) for person in result.removed],
        )
        cursor.executemany(
            "INSERT INTO countersign.people (username, persona, department) VALUES (%s, %s, %s)"
            " ON CONFLICT (username, persona) DO UPDATE SET department = excluded.department",
            [
                (p.username, p.persona, p.department)
                for p in result.added + result.changed
            ],
        )
    return result


def _difference(
    present: dict[tuple[str, str], PersonAssignment],
    wanted: dict[tuple[str, str], PersonAssignment],
) -> SyncResult:
    return SyncResult(
        added=[wanted[key] for key in sorted(wanted.keys() - present.keys())],
        removed=[present[key] for key in sorted(present.keys() - wanted.keys())],
        changed=[
            wanted[key]
            for key in sorted(wanted.keys() & present.keys())
            if wanted[key] != present[key]
        ],
    )
