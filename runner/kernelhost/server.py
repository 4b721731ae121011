"""The daemon: one unix socket, one connection per run."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import os
import socket
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

from runner.kernelhost.host import Host
from runner.kernelhost.pool import Pool
from runner.kernelhost.protocol import (
    MAX_LINE_BYTES,
    BadRequest,
    decode,
    encode,
    read_execute,
)
from runner.kernelhost.run import Refused, Run
from runner.live.frames import BadFrame
from runner.live.frames import decode as decode_frame
from runner.logs import about

log = logging.getLogger(__name__)

PEERCRED_BYTES = 12
FIRST_LINE_TIMEOUT_S = 30.0


class AlreadyRunning(Exception):
    """Another kernel host answers on the socket."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"Another kernel host already listens on {path}.")


def is_answered(path: Path) -> bool:
    """Whether somebody listens on a unix socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


class Connection:
    """One requester. When it is gone, so is its run."""

    def __init__(
        self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer
        #: Lines that wait to be sent, and how many bytes they are.
        self.lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.backlog_bytes = 0

    def emit(self, event: dict[str, Any]) -> None:
        """Send an event after those before it."""
        line = encode(event)
        self.backlog_bytes += len(line)
        self.lines.put_nowait(line)

    async def serve(self) -> None:
        """Answer the one request of this connection."""
        try:
            line = await asyncio.wait_for(self.reader.readline(), FIRST_LINE_TIMEOUT_S)
            await self._answer(decode(line))
        except BadRequest as problem:
            await self._send(refusal("bad_request", problem.message))
        except ValueError:
            await self._send(
                refusal("bad_request", f"A line may have {MAX_LINE_BYTES:,} bytes.")
            )
        except (OSError, TimeoutError):
            pass
        finally:
            self.writer.close()
            with suppress(OSError):
                await self.writer.wait_closed()

    async def _answer(self, message: dict[str, Any]) -> None:
        op = message.get("op")
        if op == "status":
            await self._send(self.server.status())
        elif op == "execute":
            await self._execute(message)
        else:
            raise BadRequest("op must be execute or status.")

    async def _execute(self, message: dict[str, Any]) -> None:
        host = self.server.host
        if not host.accepts:
            await self._send(refusal("sandbox_unavailable", host.refusal()))
            return
        if self.server.full:
            await self._send(
                refusal("busy", "This kernel host runs as many notebooks as it may.")
            )
            return
        run = Run(
            self.server.pool,
            read_execute(message),
            self.emit,
            lambda: self.backlog_bytes,
        )
        with self.server.admitted(run), about(run_id=run.request.run_id):
            await self._perform(run)

    async def _perform(self, run: Run) -> None:
        listener = asyncio.create_task(self._listen(run))
        sender = asyncio.create_task(self._send_lines(run))
        try:
            await run.perform()
        except Refused as problem:
            self.emit(refusal(problem.code, problem.message))
        except Exception:
            log.exception(
                "run %s ended by a fault of the kernel host", run.request.run_id
            )
            self.emit(
                refusal("sandbox_unavailable", "The kernel host failed. See its log.")
            )
        finally:
            self.lines.put_nowait(None)
            await asyncio.gather(sender, return_exceptions=True)
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)

    async def _listen(self, run: Run) -> None:
        """Take what the requester says; the end of the stream means that it died."""
        with suppress(OSError, ValueError):
            while line := await self.reader.readline():
                if not line.endswith(b"\n"):
                    break
                with suppress(BadRequest, BadFrame, binascii.Error):
                    await self._obey(run, decode(line))
        run.stop_now("cancelled")

    async def _obey(self, run: Run, message: dict[str, Any]) -> None:
        match message.get("op"):
            case "cancel":
                await run.cancel()
            case "end":
                await run.end()
            case "frame":
                run.say(decode_frame(base64.b64decode(str(message.get("frame")))))

    async def _send_lines(self, run: Run) -> None:
        while (line := await self.lines.get()) is not None:
            try:
                await self._write(line)
            except OSError:
                run.stop_now("cancelled")
                return
            self.backlog_bytes -= len(line)

    async def _send(self, message: dict[str, Any]) -> None:
        await self._write(encode(message))

    async def _write(self, line: bytes) -> None:
        self.writer.write(line)
        await self.writer.drain()


def refusal(code: str, message: str) -> dict[str, Any]:
    """The event that ends a connection on which nothing ran."""
    return {"event": "refused", "code": code, "message": message}


class _Admission:
    """Counts a run among the active ones while it lasts."""

    def __init__(self, server: Server, run: Run) -> None:
        self.server, self.run = server, run

    def __enter__(self) -> None:
        self.server.runs.add(self.run)
        self.server.pool.run_began()

    def __exit__(self, *_: object) -> None:
        self.server.runs.discard(self.run)
        self.server.pool.run_ended()


class Server:
    """Accepts connections from the one user that may ask."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.pool = Pool(host)
        self.runs: set[Run] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        # Root could become any of the others anyway.
        self.allowed = {0, os.geteuid(), host.settings.client_uid}

    @property
    def full(self) -> bool:
        """Whether no further run may start."""
        return len(self.runs) >= self.host.settings.max_runs

    def admitted(self, run: Run) -> _Admission:
        """A context in which ``run`` counts as active."""
        return _Admission(self, run)

    def status(self) -> dict[str, Any]:
        """The answer to ``status``."""
        return {
            "ok": self.host.accepts,
            "layers": {layer.name: layer.as_dict() for layer in self.host.layers},
            "active": len(self.runs),
            "degraded": bool(self.host.missing),
            "pool": self.pool.status(),
        }

    async def listen(self) -> asyncio.Server:
        """Open the socket, private to its owner."""
        path, client_uid = self.host.settings.socket, self.host.settings.client_uid
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700, parents=True)
            if client_uid is not None:
                os.chown(path.parent, client_uid, -1)
        if is_answered(path):
            raise AlreadyRunning(path)
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            server = await asyncio.start_unix_server(
                self._accept, path, limit=MAX_LINE_BYTES
            )
        finally:
            os.umask(before)
        if client_uid is not None:
            os.chown(path, client_uid, -1)
        return server

    def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if requester_uid(writer) not in self.allowed:
            log.warning("refused a connection from uid %s", requester_uid(writer))
            writer.close()
            return
        task = asyncio.create_task(Connection(self, reader, writer).serve())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def drain(self) -> None:
        """End what waits, give the runs a moment, then end them; nothing may be left."""
        await self.pool.close()
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=self.host.settings.drain_s)
        for run in list(self.runs):
            run.stop_now("cancelled")
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=self.host.settings.drain_s)
        await self.pool.templates.close()
        self.host.settings.socket.unlink(missing_ok=True)


def requester_uid(writer: asyncio.StreamWriter) -> int:
    """Whose process is on the other end."""
    connection = writer.get_extra_info("socket")
    credentials = connection.getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, PEERCRED_BYTES
    )
    return int(struct.unpack("iII", credentials)[1])
