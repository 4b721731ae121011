"""Connecting to the data source: TLS where asked for, SCRAM-SHA-256 always."""

from __future__ import annotations

import asyncio
import os
import ssl
import struct
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

from scramp import ScramClient, ScramException

from runner.kernelhost.protocol import DataSource
from runner.kernelhost.proxy.frames import (
    MAX_BACKEND_BYTES,
    SSL_REQUEST,
    Frame,
    ProtocolViolation,
    Rows,
    Scanner,
    cancel_request,
    error_fields,
    startup_message,
)

CONNECT_TIMEOUT_S = 10.0
READ_BYTES = 262_144
SYSTEM_ROOTS = ("", "system")
"""Values of PGSSLROOTCERT that mean the computer's own list, as for libpq."""

MECHANISM = "SCRAM-SHA-256"
PLUS = "SCRAM-SHA-256-PLUS"
NO_SCRAM = "The data source does not ask for SCRAM-SHA-256."
AUTH_OK, AUTH_SASL, AUTH_CONTINUE, AUTH_FINAL = 0, 10, 11, 12


class UpstreamRefused(Exception):
    """The data source, or the way to it, said no. Carries SQLSTATE and words for the notebook."""

    def __init__(self, sqlstate: str, message: str) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.message = message


@dataclass
class Upstream:
    """An authenticated connection, up to the server's first ReadyForQuery."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    scanner: Scanner = field(default_factory=lambda: Scanner(MAX_BACKEND_BYTES))
    greeting: list[Frame] = field(default_factory=list)
    pid: int = 0
    secret: int = 0
    waiting: deque[Frame | Rows] = field(default_factory=deque)

    async def frames(self) -> AsyncIterator[Frame | Rows]:
        """Every message of the server, as it comes; rows that came together stay together."""
        while True:
            while self.waiting:
                yield self.waiting.popleft()
            data = await self.reader.read(READ_BYTES)
            if not data:
                return
            self.waiting.extend(self.scanner.feed_rows(data))

    async def greetings(self) -> AsyncIterator[Frame]:
        """Every message before the first statement.

        Raises:
            ProtocolViolation: rows, for which nobody has asked.
        """
        async for message in self.frames():
            if isinstance(message, Rows):
                raise ProtocolViolation("rows before a statement")
            yield message

    def close(self) -> None:
        """Close the connection."""
        self.writer.close()


def tls_context() -> ssl.SSLContext:
    """Certificate and host name are verified; the roots are those that libpq is told of."""
    roots = os.environ.get("PGSSLROOTCERT", "")
    context = ssl.create_default_context(
        cafile=None if roots in SYSTEM_ROOTS else roots
    )
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def open_stream(
    source: DataSource,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the data source, encrypted when its sslmode says so.

    Raises:
        UpstreamRefused: it offers no TLS although it must.
        OSError, ssl.SSLError: it cannot be reached or proves to be somebody else.
    """
    if source.host.startswith("/"):
        return await asyncio.open_unix_connection(
            f"{source.host}/.s.PGSQL.{source.port}"
        )
    reader, writer = await asyncio.open_connection(source.host, source.port)
    if source.sslmode == "verify-full":
        writer.write(struct.pack("!II", 8, SSL_REQUEST))
        # Exactly one byte: whatever followed it in clear text would be an injection.
        answer = await reader.read(READ_BYTES)
        if answer != b"S":
            writer.close()
            raise UpstreamRefused(
                "08001", "The data source does not offer the encryption that it must."
            )
        await writer.start_tls(tls_context(), server_hostname=source.host)
    return reader, writer


async def connect(source: DataSource, parameters: dict[str, str]) -> Upstream:
    """Connect and authenticate as the run's own login.

    Raises:
        UpstreamRefused: for every reason, in words without secrets.
    """
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            reader, writer = await open_stream(source)
            upstream = Upstream(reader, writer)
            try:
                await _start(upstream, source, parameters)
            except BaseException:
                upstream.close()
                raise
            return upstream
    except (
        OSError,
        TimeoutError,
        ssl.SSLError,
        ScramException,
        ProtocolViolation,
    ) as problem:
        raise UpstreamRefused(
            "08001", f"The data source {source.name} cannot be reached safely."
        ) from problem


async def _start(
    upstream: Upstream, source: DataSource, parameters: dict[str, str]
) -> None:
    pinned = {**parameters, "user": source.user, "database": source.database}
    upstream.writer.write(startup_message(pinned))
    frames = upstream.greetings()
    await _authenticate(upstream, source, frames)
    async for frame in frames:
        if frame.kind == b"K":
            upstream.pid, upstream.secret = struct.unpack("!II", frame.payload[:8])
            continue
        _raise_error(frame)
        upstream.greeting.append(frame)
        if frame.kind == b"Z":
            return
    raise UpstreamRefused(
        "08001", f"The data source {source.name} closed the connection."
    )


def _first_message(
    upstream: Upstream, source: DataSource, offered: list[bytes]
) -> ScramClient:
    """SCRAM, bound to the TLS channel when the server offers it.

    Raises:
        UpstreamRefused: the server offers no SCRAM-SHA-256.
    """
    tls = upstream.writer.get_extra_info("ssl_object")
    if tls is not None and PLUS.encode() in offered:
        binding = ("tls-server-end-point", tls)
        return ScramClient(
            [PLUS], source.user, source.password, channel_binding=binding
        )
    if MECHANISM.encode() in offered:
        return ScramClient([MECHANISM], source.user, source.password)
    raise UpstreamRefused("28000", NO_SCRAM)


async def _authenticate(
    upstream: Upstream, source: DataSource, frames: AsyncIterator[Frame]
) -> None:
    """Prove who we are and have the server prove who it is.

    Clear text, MD5 or no password at all are refused: neither side would prove anything.
    """
    scram: ScramClient | None = None
    proven = False
    async for frame in frames:
        _raise_error(frame)
        if frame.kind != b"R":
            continue
        (step,) = struct.unpack("!I", frame.payload[:4])
        body = frame.payload[4:]
        if step == AUTH_SASL and scram is None:
            scram = _first_message(upstream, source, body.split(b"\0"))
            first = scram.get_client_first().encode()
            name = scram.mechanism_name.encode()
            answer = name + b"\0" + struct.pack("!I", len(first)) + first
        elif step == AUTH_CONTINUE and scram is not None:
            scram.set_server_first(body.decode())
            answer = scram.get_client_final().encode()
        elif step == AUTH_FINAL and scram is not None:
            scram.set_server_final(body.decode())
            proven = True
            continue
        elif step == AUTH_OK and proven:
            return
        else:
            raise UpstreamRefused("28000", NO_SCRAM)
        upstream.writer.write(Frame(b"p", answer).encode())


def _raise_error(frame: Frame) -> None:
    if frame.kind == b"E":
        fields = error_fields(frame.payload)
        raise UpstreamRefused(
            fields.get("C", "08001"), fields.get("M", "The data source refused.")
        )


async def cancel(source: DataSource, pid: int, secret: int) -> None:
    """Ask the server to cancel what a connection is doing. Best effort, as in every client."""
    with suppress(OSError, TimeoutError, UpstreamRefused):
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, writer = await open_stream(source)
            writer.write(cancel_request(pid, secret))
            await writer.drain()
            writer.close()
