"""The listeners of one run: a unix socket per data source, and what was read through them."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from runner.kernelhost.protocol import DEFAULT_SOURCE, DataSource
from runner.kernelhost.proxy import upstream
from runner.kernelhost.proxy.frames import ProtocolViolation, error_response
from runner.kernelhost.proxy.meter import Meter
from runner.kernelhost.proxy.relay import NOT_SUPPORTED, Relay
from runner.kernelhost.proxy.startup import (
    CancelWish,
    StartupRefused,
    checked,
    read_startup,
)
from runner.kernelhost.proxy.statements import (
    CUT,
    IN_FAILED_TRANSACTION,
    Record,
    Statements,
    is_control,
)
from runner.kernelhost.proxy.upstream import Upstream, UpstreamRefused
from runner.kernelhost.sandbox_files import SERVICE_FILE, service_file

# Where libpq looks below a directory that is given as its host.
SOCKET_NAME = ".s.PGSQL.5432"
STARTUP_TIMEOUT_S = 10.0
PERMISSION_DENIED = "42501"
CONNECTING = "(connect)"
MAX_RECORDED_CHARS = 8_000_000
SHORT_CHARS = 200
TOO_MANY = (
    "This run may hold {limit} connections to {source} at a time. Close one first."
)


def peer_uid(writer: asyncio.StreamWriter) -> int:
    """Whose process is on the other end of a unix socket."""
    connection = writer.get_extra_info("socket")
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    _, uid, _ = struct.unpack("iII", credentials)
    return int(uid)


class SourceListener:
    """One data source of one run."""

    def __init__(self, source: DataSource, record: Record) -> None:
        self.source = source
        self.record = record
        self.meter = Meter(source.name, source.limits)
        self.open: dict[tuple[int, int], Upstream] = {}
        self.connections = 0
        self.tasks: set[asyncio.Task[None]] = set()
        self.expected_uid = os.geteuid()
        self.server: asyncio.Server | None = None

    async def listen(self, path: Path, uid: int | None) -> None:
        """Accept the run's own processes, and nobody else, at ``path``."""
        self.expected_uid = os.geteuid() if uid is None else uid
        self.server = await asyncio.start_unix_server(self._accept, path)
        path.chmod(0o666)

    def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            if peer_uid(writer) == self.expected_uid:
                await self._talk(reader, writer)
        except (StartupRefused, UpstreamRefused) as refusal:
            self._refuse(writer, refusal.sqlstate, refusal.message)
        except ProtocolViolation:
            writer.write(error_response("08P01", NOT_SUPPORTED))
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            pass
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def _refuse(
        self, writer: asyncio.StreamWriter, sqlstate: str, message: str
    ) -> None:
        self.record(
            {
                "source": self.source.name,
                "text": CONNECTING,
                "rows": 0,
                "duration_ms": 0,
                "sqlstate": sqlstate,
            }
        )
        writer.write(error_response(sqlstate, message))

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        wish = await asyncio.wait_for(read_startup(reader, writer), STARTUP_TIMEOUT_S)
        if isinstance(wish, CancelWish):
            await self._cancel(wish)
            return
        parameters = checked(wish, self.source)
        limit = self.source.limits.connections
        if self.connections >= limit:
            raise StartupRefused(
                "53300", TOO_MANY.format(limit=limit, source=self.source.name)
            )
        self.connections += 1
        try:
            await self._relay(reader, writer, parameters)
        finally:
            self.connections -= 1

    async def _relay(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        parameters: dict[str, str],
    ) -> None:
        server = await upstream.connect(self.source, parameters)
        key = (secrets.randbits(31), secrets.randbits(32))
        self.open[key] = server
        relay = Relay(
            (reader, writer),
            server,
            self.meter,
            Statements(self.source.name, self.record),
        )
        try:
            relay.greet(*key)
            await relay.run()
        finally:
            del self.open[key]
            server.close()
            if relay.overran:
                await upstream.cancel(self.source, server.pid, server.secret)

    async def _cancel(self, wish: CancelWish) -> None:
        """Only this run's own connections have keys here, so it can cancel nobody else's."""
        server = self.open.get((wish.pid, wish.secret))
        if server is not None:
            await upstream.cancel(self.source, server.pid, server.secret)

    async def close(self) -> None:
        """Cut every connection at once and stop listening."""
        if self.server is not None:
            self.server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


class DataProxies:
    """All data sources of one run."""

    def __init__(self, sources: tuple[DataSource, ...], record: Record) -> None:
        self._record_event = record
        self.listeners = [SourceListener(source, self._record) for source in sources]
        self._last: tuple[float, str | None] | None = None
        self._recorded_chars = 0

    @property
    def rows_read(self) -> int:
        """Rows that reached the kernel, from all sources."""
        return sum(listener.meter.rows for listener in self.listeners)

    async def listen(self, directory: Path, uid: int | None) -> None:
        """Put a socket for each source into ``directory``, where a kernel sees it as its data directory."""
        names = [listener.source.name for listener in self.listeners]
        for name, listener in zip(names, self.listeners, strict=True):
            (directory / name).mkdir(mode=0o755)
            await listener.listen(directory / name / SOCKET_NAME, uid)
        if names:
            services = directory / SERVICE_FILE
            services.write_text(service_file(names), encoding="utf-8")
            services.chmod(0o444)
        if names and DEFAULT_SOURCE not in names:
            (directory / DEFAULT_SOURCE).symlink_to(names[0])

    def _record(self, statement: dict[str, Any]) -> None:
        sqlstate = statement["sqlstate"]
        is_echo = sqlstate == IN_FAILED_TRANSACTION
        if not is_echo and (sqlstate is not None or not is_control(statement["text"])):
            self._last = (time.monotonic(), sqlstate)
        self._record_event({**statement, "text": self._bounded(statement["text"])})

    def _bounded(self, text: str) -> str:
        """Every statement is recorded; when a run's texts grow beyond measure, they are shortened."""
        if self._recorded_chars > MAX_RECORDED_CHARS and len(text) > SHORT_CHARS:
            text = text[:SHORT_CHARS] + CUT
        self._recorded_chars += len(text)
        return text

    def refused_since(self, moment: float) -> bool:
        """Whether the last statement that mattered, since ``moment``, was refused for lack of rights."""
        return (
            self._last is not None
            and self._last[0] >= moment
            and self._last[1] == PERMISSION_DENIED
        )

    async def close(self) -> None:
        """Cut everything."""
        for listener in self.listeners:
            await listener.close()
