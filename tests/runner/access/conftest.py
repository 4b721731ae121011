"""Leases on the demo hospital, and a cluster that tests may damage."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from config.demo.hospital.build import logins, people
from config.embedded.files import free_port
from config.embedded.postgres import PostgresServer
from runner.access.identities import sync_identities
from runner.access.leases import Lease, close_lease, open_lease, put_ticket
from runner.access.sources import Dsns
from tests.support import environment, services

DIGEST = "d1" * 32
PASSWORDS = {"cs_web": "web", "cs_broker": "broker", "cs_identity": "identity"}
Connection = psycopg.Connection


def ask(
    dsns: Dsns,
    username: str = "adams",
    persona: str = "doctor",
    *,
    run_id: UUID | None = None,
    manifest: dict | None = None,
    kind: str = "run",
    lifetime_s: float = 300,
) -> UUID:
    """Put a ticket and return its run."""
    run_id = run_id or uuid4()
    put_ticket(
        dsns,
        run_id=run_id,
        username=username,
        persona=persona,
        version_digest=DIGEST,
        purpose="treatment",
        kind=kind,
        manifest=manifest,
        expires_at=datetime.now(UTC) + timedelta(seconds=lifetime_s),
    )
    return run_id


def connect(lease: Lease, **options) -> Connection:
    """Connect as the run, without the read-only default that SQL may lift anyway."""
    parameters = {
        "host": lease.host,
        "port": lease.port,
        "dbname": lease.database,
        "user": lease.role,
        "password": lease.password.reveal(),
        "options": "-c default_transaction_read_only=off",
        "connect_timeout": 5,
        **options,
    }
    return psycopg.connect(autocommit=True, **parameters)


@dataclass(frozen=True)
class OpenRun:
    """A run with its lease and one connection."""

    run_id: UUID
    lease: Lease
    connection: Connection

    def rows(self, statement: str, *values) -> list[tuple]:
        """Run a statement and return its rows."""
        return self.connection.execute(statement, values or None).fetchall()

    def value(self, statement: str, *values):
        """Run a statement and return its first cell."""
        return self.rows(statement, *values)[0][0]


@contextmanager
def opened(dsns: Dsns, *person: str, **ticket) -> Iterator[OpenRun]:
    """A run that is open for this block."""
    run_id = ask(dsns, *person, **ticket)
    lease = open_lease(dsns, run_id=run_id)
    try:
        with closing(connect(lease)) as connection:
            yield OpenRun(run_id, lease, connection)
    finally:
        close_lease(dsns, run_id=run_id)


@pytest.fixture(scope="module")
def hospital(data_cluster) -> Dsns:
    """Countersign's logins to the real source, which knows the people of the demo again."""
    dsns = data_cluster.dsns["hospital"]
    sync_identities(dsns, people())
    return dsns


@pytest.fixture(scope="module")
def notional(data_cluster) -> Dsns:
    """Countersign's logins to the notional twin."""
    dsns = data_cluster.dsns["notional"]
    sync_identities(dsns, people())
    return dsns


@pytest.fixture(scope="session")
def owner(data_cluster) -> Iterator[Connection]:
    """The hospital's superuser, for looking."""
    with psycopg.connect(
        data_cluster.hospital_owner_dsn, autocommit=True
    ) as connection:
        yield connection


@pytest.fixture
def open_run(hospital) -> Iterator[Callable[..., OpenRun]]:
    """Open runs on the hospital; closed after the test."""
    with ExitStack() as stack:
        yield lambda *person, **ticket: stack.enter_context(
            opened(hospital, *person, **ticket)
        )


@pytest.fixture(scope="module")
def doctor(hospital) -> Iterator[OpenRun]:
    """One run of adams as a doctor for the whole module; read with it, do not break it."""
    with opened(hospital, "adams", "doctor", lifetime_s=3600) as run:
        yield run


@pytest.fixture(scope="session")
def cluster() -> Iterator[PostgresServer]:
    """A cluster of this worker's own, whose roles and databases tests may damage."""
    server = PostgresServer(
        environment.home() / f"breakable-{environment.worker()}",
        free_port(),
        "owner",
        uid=61303,
        settings=services.FAST,
    )
    server.initialise(durable=False)
    services.start(server, signal.SIGINT)
    yield server
    server.stop()


@dataclass(frozen=True)
class Throwaway:
    """An empty database in the damageable cluster."""

    name: str
    owner_dsn: str
    dsns: Dsns

    @contextmanager
    def owner(self) -> Iterator[Connection]:
        """Connect as superuser."""
        with psycopg.connect(self.owner_dsn, autocommit=True) as connection:
            yield connection

    def execute(self, *statements: str) -> None:
        """Run statements as superuser."""
        with self.owner() as connection:
            for statement in statements:
                connection.execute(statement)


def end_sessions(superuser: Connection, name: str) -> None:
    """End the sessions that wait for their next use, so that the database can be copied."""
    superuser.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
        (name,),
    )


@contextmanager
def throwaway_database(cluster: PostgresServer, name: str) -> Iterator[Throwaway]:
    """Create an empty database and drop it afterwards."""
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        dsn = make_conninfo(cluster.dsn(), dbname=name)
        yield Throwaway(name, dsn, logins(dsn, PASSWORDS))
        connection.execute(
            sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        )


@pytest.fixture
def throwaway(cluster) -> Iterator[Throwaway]:
    """An empty database for one test."""
    with throwaway_database(cluster, f"throwaway_{uuid4().hex[:8]}") as database:
        yield database


def role_exists(owner, lease) -> bool:
    return bool(
        owner.execute(
            "SELECT count(*) FROM pg_roles WHERE rolname = %s", (lease.role,)
        ).fetchone()[0]
    )


def recorded(owner, run_id):
    return owner.execute(
        "SELECT username, persona, department, version_digest, purpose, kind, closed_because,"
        " closed_at IS NOT NULL, dropped_at IS NOT NULL FROM countersign.runs WHERE run_id = %s",
        (run_id,),
    ).fetchone()


def live_others(owner) -> set:
    """Every run that there ever was: tests beside this one have some open."""
    return {row[0] for row in owner.execute("SELECT run_id FROM countersign.runs")}


def age(owner, run) -> None:
    """Make the run older than the reaper's grace."""
    owner.execute(
        "UPDATE countersign.runs SET opened_at = opened_at - interval '1 minute'"
        " WHERE run_id = %s",
        (run.run_id,),
    )
