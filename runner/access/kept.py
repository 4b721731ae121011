"""Connections that wait for the next use: a new one costs more than what it is opened for.

Few per login and process, asked whether they are alive before they are given away. The
data source itself ends one that nobody has used for a while.
"""

import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.pq import TransactionStatus

Connection = psycopg.Connection[tuple[object, ...]]

CONNECT_TIMEOUT_S = 10
#: How many wait for each login in each process.
KEPT = 2
#: After so long without use the data source ends one (seconds).
IDLE_S = 60


class KeptConnections:
    """Gives each user a connection of its own, and keeps it for the next one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # A forked process must neither use nor close what its parent opened.
        self._idle: defaultdict[tuple[int, str], list[tuple[Connection, float]]] = (
            defaultdict(list)
        )

    @contextmanager
    def connection(self, dsn: str) -> Iterator[Connection]:
        """Give an autocommit connection; after an error it is closed, not kept.

        Raises psycopg.Error.
        """
        connection = self._take(dsn) or _connect(dsn)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._give_back(dsn, connection)

    def _take(self, dsn: str) -> Connection | None:
        while True:
            with self._lock:
                waiting = self._idle[os.getpid(), dsn]
                if not waiting:
                    return None
                connection, since = waiting.pop()
            if time.monotonic() - since < IDLE_S and _is_alive(connection):
                return connection
            connection.close()

    def _give_back(self, dsn: str, connection: Connection) -> None:
        is_idle = connection.info.transaction_status == TransactionStatus.IDLE
        with self._lock:
            waiting = self._idle[os.getpid(), dsn]
            if is_idle and len(waiting) < KEPT:
                waiting.append((connection, time.monotonic()))
                return
        connection.close()


def _connect(dsn: str) -> Connection:
    connection = psycopg.connect(
        dsn,
        autocommit=True,
        connect_timeout=CONNECT_TIMEOUT_S,
        application_name="countersign",
    )
    try:
        connection.execute(f"SET idle_session_timeout = '{IDLE_S}s'")
    except BaseException:
        connection.close()
        raise
    return connection


def _is_alive(connection: Connection) -> bool:
    try:
        connection.execute("")
    except psycopg.Error:
        return False
    return True
