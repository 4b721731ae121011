"""What the address of a database may say: where, who, and how it is encrypted; no more.

An option that nobody reads is refused, never dropped: a `sslmode` that goes missing is a
connection in clear text.
"""

from ipaddress import ip_address

import psycopg
from psycopg.conninfo import conninfo_to_dict

PLACE = frozenset({"user", "password", "host", "port", "dbname", "sslmode"})
VERIFIED = "verify-full"
UNENCRYPTED = "disable"
CERTIFICATES = (
    "name the file of your certificate authority in PGSSLROOTCERT instead, for every "
    "process: the kernel host, which opens the runs' connections, reads it too"
)


class UnsafeDsn(Exception):
    """A database's address is not understood or not safe; the message says how to mend it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def parsed(dsn: str) -> dict[str, str]:
    """Return the parts of a DSN by libpq's names, once it is known to be safe.

    Raises UnsafeDsn; the message never holds the DSN, which has a password.
    """
    try:
        parts = {name: str(value) for name, value in conninfo_to_dict(dsn).items()}
    except psycopg.ProgrammingError:
        # libpq quotes what it does not understand, which may be half a password.
        raise UnsafeDsn(
            "is not a postgresql:// address: look for misspelt options, and write what is "
            "neither letter nor digit in a password as %XX."
        ) from None
    _refuse_unknown(parts)
    _refuse_unsafe(parts)
    return parts


def is_local(host: str) -> bool:
    """Tell whether connections to this host never leave the computer."""
    if host.startswith("/") or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse_unknown(parts: dict[str, str]) -> None:
    if "sslrootcert" in parts:
        raise UnsafeDsn(f"must not hold sslrootcert: {CERTIFICATES}.")
    unknown = sorted(parts.keys() - PLACE)
    if unknown:
        raise UnsafeDsn(
            f"holds {', '.join(unknown)}, which nothing reads; take it out. "
            f"What may stand there: {', '.join(sorted(PLACE))}."
        )


def _refuse_unsafe(parts: dict[str, str]) -> None:
    host, mode = parts.get("host", ""), parts.get("sslmode", "")
    if not host or "," in host:
        raise UnsafeDsn(
            "must name one host: a name, an address, or ?host=/the/socket's/folder."
        )
    if is_local(host):
        if mode not in {"", UNENCRYPTED, VERIFIED}:
            raise UnsafeDsn(
                f"has sslmode={mode}, which proves nothing: write {VERIFIED}, or leave it "
                "out on this computer."
            )
    elif mode != VERIFIED:
        raise UnsafeDsn(
            f"leads to another computer without proof of which: add ?sslmode={VERIFIED}, "
            "and PGSSLROOTCERT with the file of your certificate authority."
        )
