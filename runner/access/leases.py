"""Leases: the login that one run gets, and that ends with it.

The web server puts a ticket, the worker redeems it, and both work through functions of the
data source that keep every rule (docs/adr/0004-one-login-per-run.md).
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from runner.access.dsn import Secret, connected, where
from runner.access.errors import LeaseRefused, SourceUnavailable
from runner.access.scram import verifier
from runner.access.sources import Dsns

Connection = psycopg.Connection[tuple[object, ...]]
CLOSE_TIMEOUT_S = 10.0
REAP_GRACE_S = 10.0


@dataclass(frozen=True)
class Lease:
    """One run's login; `password.reveal()` is for the data proxy and nobody else.

    Attributes:
        source: the data source's name as notebooks know it.
        host: name, address, or the folder of a unix socket.
        expires_at: when new logins stop; the reaper ends the sessions.
    """

    run_id: UUID
    source: str
    role: str
    password: Secret = field(repr=False)
    host: str
    port: int
    database: str
    expires_at: datetime
    sslmode: str = "disable"


def put_ticket(
    dsns: Dsns,
    *,
    run_id: UUID,
    username: str,
    persona: str,
    version_digest: str,
    purpose: str,
    kind: str,
    manifest: dict[str, object] | None,
    expires_at: datetime,
) -> None:
    """Ask for a login for one run.  Raises LeaseRefused (also when the kind is not this source's)."""
    values = {
        "run_id": run_id,
        "username": username,
        "persona": persona,
        "version_digest": version_digest,
        "purpose": purpose,
        "kind": kind,
        "manifest": None if manifest is None else Jsonb(manifest),
        "expires_at": expires_at,
    }
    with connected(dsns.ticket, purpose="to ask for data (ticket)") as connection:
        connection.execute(
            "INSERT INTO countersign.tickets (run_id, username, persona, version_digest, purpose,"
            " kind, manifest, expires_at) VALUES (%(run_id)s, %(username)s, %(persona)s,"
            " %(version_digest)s, %(purpose)s, %(kind)s, %(manifest)s, %(expires_at)s)",
            values,
        )


def open_lease(dsns: Dsns, *, run_id: UUID, source: str = "") -> Lease:
    """Redeem the run's ticket, once, for a login of its own.  Raises LeaseRefused."""
    password = secrets.token_urlsafe(32)
    with connected(dsns.broker, purpose="to open leases (broker)") as connection:
        row = connection.execute(
            "SELECT role_name, expires_at FROM countersign.open_run(%s, %s)",
            (run_id, verifier(password)),
        ).fetchone()
    if row is None:
        raise LeaseRefused("refused", "The data source opened no login.")
    role, expires_at = row
    place = where(dsns.broker)
    return Lease(
        run_id=run_id,
        source=source or place["database"],
        role=str(role),
        password=Secret(password),
        host=place["host"],
        port=int(place["port"]),
        database=place["database"],
        expires_at=_moment(expires_at),
        sslmode=place["sslmode"],
    )


def close_lease(dsns: Dsns, *, run_id: UUID) -> None:
    """End the run's login and its sessions.  Idempotent; a ticket not yet redeemed is void.

    Raises SourceUnavailable when sessions do not end within CLOSE_TIMEOUT_S: the login is
    shut and reads nothing from the first moment on, and the reaper tries again.
    """
    with connected(dsns.broker, purpose="to close leases (broker)") as connection:
        _close(connection, run_id)


def reap(
    dsns: Dsns, *, live_run_ids: set[UUID], grace_s: float = REAP_GRACE_S
) -> list[str]:
    """Close every login of this source that expired or whose run is not live; returns their roles.

    Tickets of runs that are not live are void a minute after the grace.

    Args:
        live_run_ids: the runs that wait, start or run, read just now from the application database.
        grace_s: logins younger than this are left alone; their run may be newer than the set.
    """
    with connected(dsns.broker, purpose="to reap leases (broker)") as connection:
        rows = connection.execute(
            "SELECT countersign.reap(%s::uuid[], make_interval(secs => %s))",
            (list(live_run_ids), grace_s),
        ).fetchall()
        stale = [UUID(str(row[0])) for row in rows]
        for run_id in stale:
            _close(connection, run_id)
    return [f"r_{run_id.hex}" for run_id in stale]


def _close(
    connection: Connection, run_id: UUID, *, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Drive `close_run`, one committed step per call, until the login is gone."""
    deadline = time.monotonic() + CLOSE_TIMEOUT_S
    pause_s = 0.0
    while True:
        row = connection.execute(
            "SELECT countersign.close_run(%s)", (run_id,)
        ).fetchone()
        if row == ("closed",):
            return
        if time.monotonic() > deadline:
            raise SourceUnavailable(
                "still_connected", "A session of this run does not end."
            )
        sleep(pause_s)
        pause_s = min(0.2, pause_s * 2 or 0.005)


def _moment(value: object) -> datetime:
    if not isinstance(value, datetime):
        raise LeaseRefused("refused", "The data source named no expiry.")
    return value
