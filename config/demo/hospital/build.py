"""Make the demo hospital and its notional twin: databases, schema, rows, policies, people.

Every step is skipped when it was done before, so a second start costs nothing.
"""

import csv
import hashlib
import time
from collections.abc import Callable, Mapping
from importlib.resources import files

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from config.demo.hospital.rows import Hospital
from config.demo.hospital.seed import HOSPITAL_SEED, NOTIONAL_SEED, generate
from runner.access.identities import PersonAssignment, sync_identities
from runner.access.install import install
from runner.access.sources import Dsns

Say = Callable[[str], None]
Connection = psycopg.Connection[tuple[object, ...]]

OWNERS = ("clinic_owner", "anon_owner", "patients_reader", "notes_reader")
"""Roles of the hospital that own or read on behalf of a view; nobody logs in as one."""

DATABASES = {"hospital": ("run", HOSPITAL_SEED), "notional": ("preview", NOTIONAL_SEED)}
MRN_PREFIXES = {"run": "MRN", "preview": "TEST"}


def build_all(
    *, superuser_dsn: str, passwords: Mapping[str, str], say: Say = print
) -> None:
    """Build both databases of the demo in one cluster.

    Args:
        superuser_dsn: libpq URI of the data cluster's superuser, any database.
        passwords: of cs_web, cs_broker and cs_identity.
        say: called with a sentence per step.
    """
    for name, (kind, seed) in DATABASES.items():
        owner_dsn = make_conninfo(superuser_dsn, dbname=name)
        dsns = logins(owner_dsn, passwords)
        create_database(superuser_dsn, name)
        install(owner_dsn, kind=kind, dsns=dsns)
        build_hospital(owner_dsn, seed=seed, kind=kind, say=say)
        sync_identities(dsns, people())


def logins(owner_dsn: str, passwords: Mapping[str, str]) -> Dsns:
    """Return the DSNs of Countersign's three logins to the database of `owner_dsn`."""
    return Dsns(
        ticket=_login(owner_dsn, "cs_web", passwords),
        broker=_login(owner_dsn, "cs_broker", passwords),
        identity=_login(owner_dsn, "cs_identity", passwords),
    )


def _login(owner_dsn: str, role: str, passwords: Mapping[str, str]) -> str:
    return make_conninfo(owner_dsn, user=role, password=passwords[role])


def people() -> list[PersonAssignment]:
    """Who holds which persona in the demo (people.csv)."""
    with files(__package__).joinpath("people.csv").open(encoding="utf-8") as lines:
        return [PersonAssignment(**row) for row in csv.DictReader(lines)]


def create_database(superuser_dsn: str, name: str) -> bool:
    """Create the database once; returns False when it was there."""
    with psycopg.connect(superuser_dsn, autocommit=True) as connection:
        known = connection.execute(
            "SELECT FROM pg_database WHERE datname = %s", (name,)
        )
        if known.fetchone() is not None:
            return False
        # Owned by the superuser who runs this; template0, so that nothing unexpected comes along.
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(
                sql.Identifier(name)
            )
        )
        return True


def build_hospital(owner_dsn: str, *, seed: int, kind: str, say: Say = print) -> bool:
    """Create schema, rows, indexes and policies in one transaction; False when already there.

    A hospital of another edition (other seed, rows or policies) that this function built is
    replaced: its people are invented and the same for everybody.
    """
    name = str(conninfo_to_dict(owner_dsn)["dbname"])
    fingerprint = _fingerprint(seed, kind)
    with psycopg.connect(owner_dsn, autocommit=True) as connection:
        present = _present(connection)
        if present == fingerprint:
            return False
        started = time.monotonic()
        say(f"Inventing the patients of {name} …")
        hospital = generate(seed, mrn_prefix=MRN_PREFIXES[kind])
        with connection.transaction():
            if present is not None:
                connection.execute("DROP SCHEMA clinic, records, anon CASCADE")
            _create(connection, hospital, name=name, fingerprint=fingerprint, say=say)
        connection.execute("VACUUM (ANALYZE)")
        say(f"The database {name} is ready after {time.monotonic() - started:.0f} s.")
    return True


def _present(connection: Connection) -> str | None:
    if connection.execute("SELECT to_regclass('records.edition')").fetchone() == (
        None,
    ):
        return None
    row = connection.execute("SELECT fingerprint FROM records.edition").fetchone()
    return str(row[0]) if row else None


def _fingerprint(seed: int, kind: str) -> str:
    """Name what this build would make: seed, kind, and every file it is made from."""
    digest = hashlib.sha256(f"{seed} {kind}\n".encode())
    for file in (
        "schema.sql",
        "indexes.sql",
        "policies.sql",
        "seed.py",
        "catalogue.py",
        "rows.py",
    ):
        digest.update(_text(file).encode())
    return digest.hexdigest()


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _create(
    connection: Connection, hospital: Hospital, *, name: str, fingerprint: str, say: Say
) -> None:
    _create_owners(connection)
    connection.execute(_text("schema.sql").encode())
    for table, rows in hospital.tables().items():
        say(f"Loading {len(rows):,} rows into {name}.{table} …")
        _copy(connection, table, rows)
    connection.execute(_text("indexes.sql").encode())
    connection.execute(_text("policies.sql").encode())
    for table in hospital.tables():
        connection.execute(
            "SELECT countersign.hide_frequencies(%s::regclass)", (table,)
        )
    connection.execute("CREATE TABLE records.edition (fingerprint text NOT NULL)")
    connection.execute("INSERT INTO records.edition VALUES (%s)", (fingerprint,))


def _create_owners(connection: Connection) -> None:
    for role in OWNERS:
        known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,))
        if known.fetchone() is None:
            connection.execute(
                sql.SQL("CREATE ROLE {} NOLOGIN NOINHERIT").format(sql.Identifier(role))
            )


def _copy(connection: Connection, table: str, rows: list[tuple[object, ...]]) -> None:
    statement = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(*table.split(".")))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
