"""What a data source must be able to do: five verbs, whatever database stands behind it.

A new kind passes tests/runner/access/test_kinds.py, the same suite for all.
"""

from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from runner.access.check import Problem
from runner.access.leases import Lease
from runner.access.sources import Dsns


class ReadConnection(Protocol):
    """What `connect` yields: enough to read."""

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        """Run one statement and return its rows.

        Raises Refused for what the person may not see, AccessError when the session was ended.
        """


class DataSourceKind(Protocol):
    """One kind of data source.

    The promises that every kind keeps: a ticket opens one lease, once; what a lease reads is
    decided by the source; a closed lease reads nothing, also where a session is still open;
    `close` and `reap` may be repeated and leave no login behind.
    """

    name: str

    def check(self, dsns: Dsns) -> list[Problem]:
        """Return what is wrong with the source; an error among them refuses launches."""

    def open(self, dsns: Dsns, *, run_id: UUID, source: str = "") -> Lease:
        """Redeem the run's ticket for a login of its own.  Raises LeaseRefused."""

    def connect(self, lease: Lease) -> AbstractContextManager[ReadConnection]:
        """Connect as the run.  Raises LeaseRefused when the login is gone."""

    def close(self, dsns: Dsns, *, run_id: UUID) -> None:
        """End the run's login and sessions; idempotent."""

    def reap(
        self, dsns: Dsns, *, live_run_ids: set[UUID], grace_s: float = ...
    ) -> list[str]:
        """Close every login and void every ticket without a live run; returns the logins."""


class Refused(Exception):
    """The source refused a statement because the person may not see what it names."""
