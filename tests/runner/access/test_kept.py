"""Connections are kept for the next use: alive, unused, and nobody else's."""

import os
import time

import psycopg
import pytest

from runner.access import kept
from runner.access.kept import KeptConnections


@pytest.fixture
def connections() -> KeptConnections:
    return KeptConnections()


def session(connections: KeptConnections, dsn: str) -> int:
    """Use a connection once; which session of the database it is."""
    with connections.connection(dsn) as connection:
        return connection.info.backend_pid


def test_the_next_use_gets_the_same_session(connections, cluster):
    assert session(connections, cluster.dsn()) == session(connections, cluster.dsn())


def test_two_at_once_get_two_sessions(connections, cluster):
    with connections.connection(cluster.dsn()) as mine:
        assert session(connections, cluster.dsn()) != mine.info.backend_pid


def test_another_login_gets_another_session(connections, cluster):
    other = cluster.dsn("template1")
    assert session(connections, cluster.dsn()) != session(connections, other)


def test_no_more_are_kept_than_may_be(connections, cluster):
    dsn = cluster.dsn()
    with (
        connections.connection(dsn) as first,
        connections.connection(dsn) as second,
        connections.connection(dsn) as third,
    ):
        everyone = [first, second, third]
    assert [each.closed for each in everyone].count(False) == kept.KEPT


def test_one_that_was_ended_meanwhile_is_not_given_away(connections, cluster):
    dead = session(connections, cluster.dsn())
    with psycopg.connect(cluster.dsn()) as superuser:
        superuser.execute("SELECT pg_terminate_backend(%s, 5000)", (dead,))
    with connections.connection(cluster.dsn()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_one_that_waited_too_long_is_not_given_away(connections, cluster, monkeypatch):
    with connections.connection(cluster.dsn()) as old:
        pass
    late = time.monotonic() + kept.IDLE_S
    monkeypatch.setattr(time, "monotonic", lambda: late)
    with connections.connection(cluster.dsn()) as other:
        assert old.closed
        assert other is not old


def test_the_data_source_ends_one_that_nobody_uses(connections, cluster):
    with connections.connection(cluster.dsn()) as connection:
        shown = connection.execute("SHOW idle_session_timeout").fetchone()
    assert shown == ("1min",)


def test_after_an_error_it_is_closed(connections, cluster):
    with (
        pytest.raises(psycopg.errors.DivisionByZero),
        connections.connection(cluster.dsn()) as connection,
    ):
        connection.execute("SELECT 1 / 0")
    assert connection.closed


def test_one_left_within_a_transaction_is_closed(connections, cluster):
    with connections.connection(cluster.dsn()) as connection:
        connection.execute("BEGIN")
    assert connection.closed


def test_a_child_neither_uses_nor_closes_what_its_parent_opened(
    connections, cluster, monkeypatch
):
    mine = session(connections, cluster.dsn())
    with monkeypatch.context() as in_child:
        in_child.setattr(os, "getpid", lambda: -1)
        assert session(connections, cluster.dsn()) != mine
    assert session(connections, cluster.dsn()) == mine


def test_a_server_that_is_not_there_is_an_error_at_once(connections):
    with (
        pytest.raises(psycopg.OperationalError),
        connections.connection("postgresql://nobody@127.0.0.1:1/nothing"),
    ):
        pass
