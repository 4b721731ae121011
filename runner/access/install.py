"""Installing Countersign's small schema in an owner's database.

Idempotent: run it again after an upgrade, or on a restored copy.
"""

from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from runner.access.errors import InstallRefused
from runner.access.public_rights import revoked_functions_pattern
from runner.access.scram import verifier
from runner.access.sources import Dsns
from runner.access.sql import script

Connection = psycopg.Connection[tuple[object, ...]]
PERSONAS = ("doctor", "department_head", "billing", "lab", "data_scientist")
LOGINS = {"cs_web": "ticket", "cs_broker": "broker", "cs_identity": "identity"}
"""The three logins, and the field of Dsns that each one's DSN stands in."""

SCRIPTS = (
    "schema",
    "policy_functions",
    "manifest_functions",
    "lease_functions",
    "owner_functions",
)
KINDS = ("run", "preview")
NOBODIES = ("cs_schema", "cs_granter")
OLDEST_MAJOR = 160000
MARKER_PREFIX = "cs_run_"


@dataclass(frozen=True)
class Installed:
    """What `install` set up."""

    database: str
    kind: str
    marker: str


def install(
    owner_dsn: str,
    *,
    kind: str,
    dsns: Dsns,
    personas: tuple[str, ...] = PERSONAS,
) -> Installed:
    """Install or update everything in one transaction.

    Args:
        owner_dsn: a superuser of the cluster, connected to the database to protect.
        kind: "run" for a real source, "preview" for a notional twin; fixed from then on.
        dsns: the logins of Countersign's processes; their passwords become the roles' passwords.
        personas: the personas that exist here; each gets the roles p_<persona>, rls_<persona>.

    Raises:
        InstallRefused: not a superuser, PostgreSQL too old, or the kind would change.
    """
    if kind not in KINDS:
        raise InstallRefused(
            "unknown_kind", f"The kind is one of {KINDS}, not {kind!r}."
        )
    with psycopg.connect(owner_dsn) as connection:
        database = _refuse_early(connection, kind)
        marker = f"{MARKER_PREFIX}{database}"[:63]
        # Roles belong to the cluster: two installations at once would trip over each other.
        connection.execute("SELECT pg_advisory_xact_lock(4850187, 2)")
        _create_roles(connection, marker=marker, personas=personas)
        _set_passwords(connection, dsns)
        for name in SCRIPTS:
            connection.execute(script(name))
        _describe(
            connection, database=database, marker=marker, kind=kind, personas=personas
        )
        _revoke_from_public(connection, database)
        connection.execute(script("function_grants"))
        _grant_to_runs(connection, database=database, marker=marker)
    return Installed(database=database, kind=kind, marker=marker)


def _refuse_early(connection: Connection, kind: str) -> str:
    row = connection.execute(
        "SELECT current_database(), current_setting('is_superuser') = 'on',"
        " to_regclass('countersign.installation') IS NOT NULL"
    ).fetchone()
    database, superuser, present = row or ("", False, False)
    if connection.info.server_version < OLDEST_MAJOR:
        raise InstallRefused("too_old", "Countersign needs PostgreSQL 16 or newer.")
    if not superuser:
        message = (
            "Install as a superuser: revoking rights on built-in functions takes one."
        )
        raise InstallRefused("not_superuser", message)
    if present:
        row = connection.execute("SELECT kind FROM countersign.installation").fetchone()
        if row is not None and row[0] != kind:
            message = f"This database is installed for {row[0]!r}; that never changes."
            raise InstallRefused("kind_is_fixed", message)
    return str(database)


def _create_roles(
    connection: Connection, *, marker: str, personas: tuple[str, ...]
) -> None:
    rights = [f"{prefix}_{persona}" for persona in personas for prefix in ("p", "rls")]
    for role in (*NOBODIES, marker, *rights):
        _ensure_role(connection, role, "NOLOGIN NOINHERIT")
    _ensure_role(connection, "cs_roleadmin", "NOLOGIN CREATEROLE")
    for role in LOGINS:
        _ensure_role(connection, role, "LOGIN NOINHERIT")
    for role in (marker, *rights):
        connection.execute(
            sql.SQL(
                "GRANT {} TO cs_roleadmin WITH ADMIN TRUE, INHERIT FALSE, SET FALSE"
            ).format(sql.Identifier(role))
        )
    connection.execute(
        "GRANT pg_signal_backend TO cs_roleadmin WITH ADMIN FALSE, INHERIT TRUE, SET FALSE"
    )
    connection.execute("GRANT SET ON PARAMETER temp_file_limit TO cs_roleadmin")


def _ensure_role(connection: Connection, role: str, attributes: str) -> None:
    """Create the role, or bring an existing one back to exactly these attributes."""
    known = connection.execute(
        "SELECT FROM pg_roles WHERE rolname = %s", (role,)
    ).fetchone()
    verb = "CREATE ROLE" if known is None else "ALTER ROLE"
    without = "NOSUPERUSER NOCREATEDB NOREPLICATION NOBYPASSRLS"
    if "CREATEROLE" not in attributes:
        without += " NOCREATEROLE"
    connection.execute(
        sql.SQL("{} {} {} {}").format(
            sql.SQL(verb), sql.Identifier(role), sql.SQL(without), sql.SQL(attributes)
        )
    )


def _set_passwords(connection: Connection, dsns: Dsns) -> None:
    """Give each login the password that its DSN holds; only a verifier reaches the server."""
    for role, field in LOGINS.items():
        dsn = getattr(dsns, field)
        if not dsn:
            continue
        parts = conninfo_to_dict(dsn)
        if parts.get("user") != role:
            raise InstallRefused(
                "wrong_login", f"The {field} DSN must log in as {role}."
            )
        password = parts.get("password")
        if password:
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                    sql.Identifier(role), sql.Literal(verifier(str(password)))
                )
            )


def _describe(
    connection: Connection,
    *,
    database: str,
    marker: str,
    kind: str,
    personas: tuple[str, ...],
) -> None:
    connection.execute(
        "INSERT INTO countersign.installation (database_name, marker, kind) VALUES (%s, %s, %s)"
        " ON CONFLICT (only_row) DO UPDATE SET database_name = excluded.database_name,"
        " marker = excluded.marker",
        (database, marker, kind),
    )
    connection.execute(
        "INSERT INTO countersign.personas SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING",
        (list(personas),),
    )
    connection.execute(
        sql.SQL(
            "ALTER TABLE countersign.tickets DROP CONSTRAINT IF EXISTS tickets_kind_is_ours,"
            " ADD CONSTRAINT tickets_kind_is_ours CHECK (kind = {})"
        ).format(sql.Literal(kind))
    )


def _revoke_from_public(connection: Connection, database: str) -> None:
    connection.execute(script("revoke_public"))
    open_to_all = connection.execute(
        "SELECT datname FROM pg_database WHERE datname IN (%s, 'postgres', 'template1')",
        (database,),
    ).fetchall()
    for (name,) in open_to_all:
        connection.execute(
            sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(
                sql.Identifier(str(name))
            )
        )
    routines = connection.execute(
        "SELECT oid::regprocedure::text FROM pg_catalog.pg_proc"
        " WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ %s",
        (revoked_functions_pattern(),),
    ).fetchall()
    for (routine,) in routines:
        # regprocedure prints names and types already quoted.
        statement = f"REVOKE ALL ON FUNCTION {routine} FROM PUBLIC"
        connection.execute(statement.encode())


def _grant_to_runs(connection: Connection, *, database: str, marker: str) -> None:
    """The marker is what makes a login a run of this database: it alone may connect."""
    names = {"database": sql.Identifier(database), "marker": sql.Identifier(marker)}
    connection.execute(
        sql.SQL(
            "GRANT CONNECT ON DATABASE {database} TO {marker}, cs_web, cs_broker, cs_identity"
        ).format(**names)
    )
    connection.execute(
        sql.SQL(
            "GRANT EXECUTE ON FUNCTION countersign.username(), countersign.persona(),"
            " countersign.department(), countersign.live() TO {marker}"
        ).format(**names)
    )
