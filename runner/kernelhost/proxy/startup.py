"""The first words of a client: what it may ask for, and what it may not."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass

from runner.kernelhost.protocol import DEFAULT_SOURCE, OWN_LOGIN, DataSource
from runner.kernelhost.proxy.frames import (
    CANCEL_REQUEST,
    GSSENC_REQUEST,
    MAX_STARTUP_BYTES,
    SSL_REQUEST,
    ProtocolViolation,
    negotiate_protocol,
    startup_parameters,
)

# Settings of the client's own side. Everything else a client may SET later, as the server allows.
PASSED_ON = frozenset(
    {
        "client_encoding",
        "application_name",
        "datestyle",
        "timezone",
        "intervalstyle",
        "extra_float_digits",
    }
)
MAX_PREAMBLES = 3
MAX_VALUE_CHARS = 255


class StartupRefused(Exception):
    """The client asked for something that a run may not have. Carries SQLSTATE and words."""

    def __init__(self, sqlstate: str, message: str) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.message = message


@dataclass(frozen=True)
class CancelWish:
    """A request to cancel, with the key that this proxy handed out."""

    pid: int
    secret: int


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    (length,) = struct.unpack("!I", await reader.readexactly(4))
    if not 8 <= length <= MAX_STARTUP_BYTES:
        raise ProtocolViolation(f"a startup message of {length} bytes")
    (code,) = struct.unpack("!I", await reader.readexactly(4))
    return code, await reader.readexactly(length - 8)


async def read_startup(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> dict[str, str] | CancelWish:
    """The client's startup parameters, or its wish to cancel.

    The socket never leaves the machine, so encryption is declined.

    Raises:
        ProtocolViolation: it does not speak protocol 3.
    """
    for _ in range(MAX_PREAMBLES):
        code, payload = await _packet(reader)
        if code in (SSL_REQUEST, GSSENC_REQUEST):
            writer.write(b"N")
            continue
        if code == CANCEL_REQUEST:
            if len(payload) != 8:
                raise ProtocolViolation("a cancel key of a wrong length")
            return CancelWish(*struct.unpack("!II", payload))
        if code >> 16 != 3:
            raise ProtocolViolation("a protocol other than 3")
        parameters = startup_parameters(payload)
        unknown = [name for name in parameters if name.startswith("_pq_.")]
        if code & 0xFFFF or unknown:
            writer.write(negotiate_protocol(unknown))
        return parameters
    raise ProtocolViolation("no startup message")


def checked(parameters: dict[str, str], source: DataSource) -> dict[str, str]:
    """The parameters to pass on.

    Raises:
        StartupRefused: another login or database, replication, or command line options.
    """
    user = parameters.get("user", source.user)
    database = parameters.get("database", user)
    if user not in (source.user, OWN_LOGIN):
        raise StartupRefused(
            "28000", "A run connects with its own login only. Leave the user out."
        )
    if database not in (source.database, source.user, OWN_LOGIN, DEFAULT_SOURCE):
        raise StartupRefused(
            "28000",
            f"This data source is the database {source.database}. Leave the database name out.",
        )
    if parameters.get("replication", "").lower() not in ("", "0", "off", "false", "no"):
        raise StartupRefused("0A000", "Replication is not possible from a notebook.")
    if parameters.get("options", "").strip():
        raise StartupRefused(
            "0A000",
            "Connection options are not possible here. Use SET after connecting.",
        )
    return {
        name: value[:MAX_VALUE_CHARS]
        for name, value in parameters.items()
        if name.lower() in PASSED_ON
    }
