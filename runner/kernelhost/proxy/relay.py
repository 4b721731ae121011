"""One connection of a kernel, relayed to the data source and metered on the way."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from runner.kernelhost.proxy.frames import (
    AUTHENTICATION_OK,
    MAX_FRONTEND_BYTES,
    Frame,
    ProtocolViolation,
    Rows,
    Scanner,
    backend_key,
    error_response,
)
from runner.kernelhost.proxy.meter import LimitReached, Meter
from runner.kernelhost.proxy.statements import Statements
from runner.kernelhost.proxy.upstream import READ_BYTES, Upstream

# Query, Parse, Bind, Describe, Execute, Sync, Flush, Close, Terminate. No
# password (we authenticated), no function call, no copy towards the server.
FRONTEND_KINDS = frozenset(b"QPBDESHCX"[i : i + 1] for i in range(9))
TIMER_S = 0.05
CONNECTION_LOST = "08006"
NO_COPY_IN = "Copying into the data source is not possible from a notebook. Read with SELECT or COPY … TO STDOUT."
NOT_SUPPORTED = "This message of the PostgreSQL protocol is not supported here."
LOST = "The data source closed the connection."


class Relay:
    """Moves messages both ways until one side ends or a limit is reached."""

    def __init__(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        upstream: Upstream,
        meter: Meter,
        statements: Statements,
    ) -> None:
        self.reader, self.writer = client
        self.upstream = upstream
        self.meter = meter
        self.statements = statements
        self.overran = False

    def greet(self, pid: int, secret: int) -> None:
        """Let the client in, with a key that means something only to this proxy."""
        self.writer.write(AUTHENTICATION_OK)
        for frame in self.upstream.greeting[:-1]:
            self.writer.write(frame.encode())
        self.writer.write(backend_key(pid, secret))
        self.writer.write(self.upstream.greeting[-1].encode())

    async def run(self) -> None:
        """Relay until the end; whatever the end is, both sides are closed."""
        tasks = [
            asyncio.create_task(part)
            for part in (self._forward(), self._answer(), self._watch())
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                self._explain(task.exception())
            with suppress(OSError):
                await self.writer.drain()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.statements.abandon(CONNECTION_LOST)

    def _explain(self, problem: BaseException | None) -> None:
        """Tell the client why, in a form that every driver raises as an ordinary error."""
        if isinstance(problem, LimitReached):
            self.overran = True
            self.statements.failed(problem.sqlstate)
            self.writer.write(error_response(problem.sqlstate, problem.message))
        elif isinstance(problem, ProtocolViolation):
            self.writer.write(error_response("08P01", NOT_SUPPORTED))

    async def _forward(self) -> None:
        """Client to server."""
        scanner = Scanner(MAX_FRONTEND_BYTES)
        while data := await self.reader.read(READ_BYTES):
            for frame in scanner.feed(data):
                if frame.kind == b"X":
                    return
                if frame.kind not in FRONTEND_KINDS:
                    raise ProtocolViolation("a message kind that is not relayed")
                if self.statements.sent(frame):
                    self.meter.statement()
                self.upstream.writer.write(frame.encode())
            await self.upstream.writer.drain()

    async def _answer(self) -> None:
        """Server to client."""
        async for message in self.upstream.frames():
            if isinstance(message, Rows):
                self._hand_over(message)
            else:
                self._pass_on(message)
            if self.writer.transport.get_write_buffer_size() > READ_BYTES:
                await self.writer.drain()
        self.writer.write(error_response(CONNECTION_LOST, LOST))

    def _hand_over(self, rows: Rows) -> None:
        """Rows go together, or up to the one that is too many.  Raises LimitReached."""
        fits = self.meter.holds(rows.count, rows.payload_bytes)
        for part in (rows,) if fits else rows.one_by_one():
            self.meter.take(part.count, part.payload_bytes)
            self.statements.rows(part.count)
            self.writer.write(part.data)

    def _pass_on(self, frame: Frame) -> None:
        if frame.kind in (b"G", b"W"):
            raise LimitReached("0A000", NO_COPY_IN)
        if frame.kind != b"A":
            # Notifications would carry one run's words to another.
            self.writer.write(frame.encode())
        self.statements.answered(frame)

    async def _watch(self) -> None:
        """End the connection when a statement takes too long."""
        while self.statements.busy_s <= self.meter.limits.statement_s:
            await asyncio.sleep(TIMER_S)
        raise self.meter.overtime()
