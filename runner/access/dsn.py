"""Connections to a data source by one of Countersign's three logins."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from runner.access.errors import LeaseRefused, SourceUnavailable, refusal
from runner.access.kept import Connection, KeptConnections
from runner.access.transport import UNENCRYPTED, UnsafeDsn, parsed

_kept = KeptConnections()


class Secret:
    """A string that shows itself only when asked to."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret text."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('…')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError(
            "A secret is not pickled: it would end up in a queue or a cache."
        )


@contextmanager
def connected(dsn: str, *, purpose: str) -> Iterator[Connection]:
    """Give an autocommit connection and translate what the database refuses.

    Args:
        dsn: libpq URI; empty when this process does not hold the login.
        purpose: what the login is for, in words, for the message when it is missing.

    Raises:
        LeaseRefused, SourceUnavailable: see runner.access.errors.
    """
    if not dsn:
        raise LeaseRefused("no_login", f"This process has no login {purpose}.")
    try:
        with _kept.connection(dsn) as connection:
            yield connection
    except psycopg.Error as error:
        raise refusal(error) from error


def where(dsn: str) -> dict[str, str]:
    """Return host, port, database and TLS mode of a DSN, without user and password.

    Raises SourceUnavailable: it is remote and does not ask for a verified server.
    """
    try:
        parts = parsed(dsn)
    except UnsafeDsn as error:
        message = f"The data source's address {error.message}"
        raise SourceUnavailable("unsafe_address", message) from error
    return {
        "host": parts["host"],
        "port": parts.get("port", "5432"),
        "database": parts.get("dbname", ""),
        "sslmode": parts.get("sslmode", UNENCRYPTED),
    }
