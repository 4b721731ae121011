"""Countersign's own database in an embedded cluster: its roles, extensions and passwords."""

from pathlib import Path

import psycopg
from psycopg import sql

from config.embedded.postgres import PostgresServer, dsn

DATABASE = "countersign"
OWNER = "countersign_owner"
APP = "countersign_app"
INIT_SQL = Path(__file__).parents[2] / "docker" / "postgres" / "application-init.sql"


def create_database(server: PostgresServer, database: str = DATABASE) -> None:
    """Create the database when it is missing, then apply the shared SQL to it."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        found = connection.execute(
            "SELECT FROM pg_database WHERE datname = %s", [database]
        ).fetchone()
        if found is None:
            name = sql.Identifier(database)
            connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
    with psycopg.connect(server.dsn(database)) as connection:
        connection.execute(INIT_SQL.read_bytes())


def set_password(server: PostgresServer, role: str, password: str) -> None:
    """Give `role` its password; only the SCRAM verifier is sent, so no log can hold the rest."""
    with psycopg.connect(server.dsn()) as connection:
        verifier = connection.pgconn.encrypt_password(
            password.encode(), role.encode(), b"scram-sha-256"
        )
        connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                sql.Identifier(role), sql.Literal(verifier.decode())
            )
        )


def role_dsn(
    server: PostgresServer, role: str, password: str, database: str = DATABASE
) -> str:
    """A libpq URI for one of the roles."""
    return dsn(user=role, password=password, port=server.port, database=database)
