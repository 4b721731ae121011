"""Ends the login of a run while its notebook looks on: expiry, and closing step by step.

The notebook says how far it has seen by the name of its connection; nobody has to guess how long
anything takes.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from runner.models import Run
from tests.support.data import DataCluster

SEES_WITHIN_S = 40
CHANNEL = "from_one_run_to_another"
LOCKS = "SELECT count(*) FROM pg_locks WHERE relation = 'clinic.departments'::regclass"


@dataclass
class Witness:
    """The owner of the source, who hears what runs say and sees the locks that they hold."""

    owner: psycopg.Connection
    broker_dsn: str
    heard: list[str] = field(default_factory=list)
    locks: list[int] = field(default_factory=list)

    def end_login(self, run: Run) -> None:
        """Let the login of a run expire and live again, close it, drop it."""
        self._wait_for(run, "chapter 1")
        expires_at = self._set_expiry(run, "-infinity")
        self._wait_for(run, "chapter 2")
        self._set_expiry(run, expires_at)
        self._wait_for(run, "chapter 3")
        self._count_locks()
        with psycopg.connect(self.broker_dsn, autocommit=True) as broker:
            close = "SELECT countersign.close_run(%s)"
            broker.execute(close, [run.pk])
            self._wait_for(run, "chapter 4")
            while broker.execute(close, [run.pk]).fetchone() != ("closed",):
                time.sleep(0.01)
        self._count_locks()

    def _count_locks(self) -> None:
        self.locks += self.owner.execute(LOCKS).fetchone() or ()

    def _wait_for(self, run: Run, chapter: str) -> None:
        """Until the notebook has seen what was done last."""
        told = "SELECT 1 FROM pg_stat_activity WHERE usename = %s AND application_name = %s"
        until = time.monotonic() + SEES_WITHIN_S
        while not self.owner.execute(told, [f"r_{run.pk.hex}", chapter]).fetchone():
            assert time.monotonic() < until, f"the notebook never came to {chapter}"
            time.sleep(0.02)

    def _set_expiry(self, run: Run, when: str) -> str:
        """Move the end of a login, where its rows and where its password are looked at."""
        with self.owner.transaction():
            before = self.owner.execute(
                "SELECT expires_at::text FROM countersign.runs WHERE run_id = %s",
                [run.pk],
            ).fetchone()
            assert before is not None
            self.owner.execute(
                "UPDATE countersign.runs SET expires_at = %s WHERE run_id = %s",
                [when, run.pk],
            )
            alter = sql.SQL("ALTER ROLE {} VALID UNTIL {}")
            name = sql.Identifier(f"r_{run.pk.hex}")
            self.owner.execute(alter.format(name, sql.Literal(when)))
        return str(before[0])


@contextmanager
def witness(cluster: DataCluster) -> Iterator[Witness]:
    """One who listens already when the run begins."""
    with psycopg.connect(cluster.hospital_owner_dsn, autocommit=True) as owner:
        seen = Witness(owner, cluster.dsns["hospital"].broker)
        owner.add_notify_handler(lambda note: seen.heard.append(note.payload))
        owner.execute(f"LISTEN {CHANNEL}")
        yield seen
