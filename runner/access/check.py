"""Checking what a data source's owners did: every fault with its remedy."""

from dataclasses import dataclass

import psycopg
from psycopg.conninfo import make_conninfo

from runner.access.errors import refusal
from runner.access.kept import CONNECT_TIMEOUT_S
from runner.access.lints import SCOPE, Lint, rights, rows
from runner.access.public_rights import revoked_functions_pattern

Connection = psycopg.Connection[tuple[object, ...]]
LINTS: tuple[Lint, ...] = (*rows.LINTS, *rights.LINTS)

FLOORS = {16: 160014, 17: 170010, 18: 180004}
"""Oldest minor per major that unprivileged SQL cannot break out of (CVE-2026-6473 and before)."""


@dataclass(frozen=True)
class Problem:
    """One fault of a data source.

    Attributes:
        code: stable name of the lint.
        remedy: the statement or step that repairs it.
        severity: "error" refuses launches, "warning" does not.
    """

    code: str
    message: str
    remedy: str
    severity: str = "error"


def check_data_source(dsn: str) -> list[Problem]:
    """Return what is wrong with a data source, errors first; empty when nothing is.

    Args:
        dsn: of its owner, or of cs_broker, who sees everything but value statistics.

    Raises:
        SourceUnavailable, LeaseRefused: it does not answer, or refuses the login.
    """
    try:
        # Names are compared as the server prints them: qualified, whatever the caller prefers.
        with psycopg.connect(
            make_conninfo(dsn, options="-c search_path=pg_catalog"),
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_S,
        ) as connection:
            problems = version_problems(connection.info.server_version)
            problems += _installation_problems(connection) or _lint(connection)
    except psycopg.Error as error:
        raise refusal(error) from error
    return sorted(problems, key=lambda problem: problem.severity)


def version_problems(server_version: int) -> list[Problem]:
    """Judge a `server_version_num`: too old a minor lets any SQL user break out."""
    major = server_version // 10_000
    if major > max(FLOORS):
        return []
    floor = FLOORS.get(major)
    if floor is not None and server_version >= floor:
        return []
    found = f"{major}.{server_version % 10_000}"
    return [
        Problem(
            "version_floor",
            f"PostgreSQL {found} has known holes that unprivileged SQL can use.",
            "Update to 18.4, 17.10 or 16.14, or a newer one.",
        )
    ]


def _installation_problems(connection: Connection) -> list[Problem]:
    present = connection.execute(
        "SELECT to_regclass('countersign.installation')"
    ).fetchone()
    if present == (None,):
        message = "Countersign is not installed in this database."
        return [Problem("not_installed", message, "manage.py install_data_source")]
    row = connection.execute(
        "SELECT i.database_name, current_database()::text, to_regrole(quote_ident(i.marker)) IS NULL"
        " FROM countersign.installation i"
    ).fetchone()
    if row is None or row[0] != row[1] or row[2]:
        message = "This database is a copy of one in which Countersign was installed."
        return [
            Problem("installed_elsewhere", message, "manage.py install_data_source")
        ]
    return []


def _lint(connection: Connection) -> list[Problem]:
    found: list[Problem] = []
    values = {
        "revoked": revoked_functions_pattern(),
        "extensions": list(rights.EXTENSIONS),
    }
    for lint in LINTS:
        for row in connection.execute(SCOPE + lint.query, values):
            found.append(
                Problem(
                    lint.code,
                    lint.message.format(*row),
                    lint.remedy.format(*row),
                    lint.severity,
                )
            )
    return found
