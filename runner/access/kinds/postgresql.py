"""PostgreSQL 16 or newer, protected by row-level security: the first kind."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from uuid import UUID

import psycopg
import psycopg.errors

from runner.access import leases
from runner.access.check import Problem, check_data_source
from runner.access.errors import LeaseRefused, refusal
from runner.access.kept import CONNECT_TIMEOUT_S
from runner.access.kinds import Refused
from runner.access.leases import REAP_GRACE_S, Lease
from runner.access.sources import POSTGRESQL, Dsns


class PostgreSQLConnection:
    """A run's connection; see kinds.ReadConnection."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self._connection = connection

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        """Run one statement and return its rows.

        Raises Refused for SQLSTATE 42501, SourceUnavailable when the session was ended.
        """
        try:
            return self._connection.execute(statement.encode()).fetchall()
        except psycopg.errors.InsufficientPrivilege as error:
            raise Refused(error.diag.message_primary) from error
        except psycopg.OperationalError as error:
            raise refusal(error) from error


class PostgreSQL:
    """The five verbs, by the functions that install.py puts into the database."""

    name = POSTGRESQL

    def check(self, dsns: Dsns) -> list[Problem]:
        """Lint with the broker's login, which sees all but value statistics."""
        if not dsns.broker:
            raise LeaseRefused(
                "no_login", "This process has no login to check with (broker)."
            )
        return check_data_source(dsns.broker)

    def open(self, dsns: Dsns, *, run_id: UUID, source: str = "") -> Lease:
        """See leases.open_lease."""
        return leases.open_lease(dsns, run_id=run_id, source=source)

    @contextmanager
    def connect(self, lease: Lease) -> Iterator[PostgreSQLConnection]:
        """Connect as the run; for checks and tests, since kernels go through the data proxy."""
        try:
            connection = psycopg.connect(
                host=lease.host,
                port=lease.port,
                dbname=lease.database,
                user=lease.role,
                password=lease.password.reveal(),
                sslmode=lease.sslmode,
                autocommit=True,
                connect_timeout=CONNECT_TIMEOUT_S,
            )
        except psycopg.Error as error:
            raise refusal(error) from error
        with closing(connection):
            yield PostgreSQLConnection(connection)

    def close(self, dsns: Dsns, *, run_id: UUID) -> None:
        """See leases.close_lease."""
        leases.close_lease(dsns, run_id=run_id)

    def reap(
        self, dsns: Dsns, *, live_run_ids: set[UUID], grace_s: float = REAP_GRACE_S
    ) -> list[str]:
        """See leases.reap."""
        return leases.reap(dsns, live_run_ids=live_run_ids, grace_s=grace_s)
