"""A small synchronous client of the kernel host, for the worker. Standard library only."""

from __future__ import annotations

import base64
import json
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

READ_BYTES = 1024 * 1024
STATUS_TIMEOUT_S = 5.0
SEND_TIMEOUT_S = 10
LAST_EVENTS = ("finished", "refused")


class KernelHostUnavailable(Exception):
    """Nobody answers on the kernel host's socket."""


class ConnectionLost(Exception):
    """The kernel host went away before the run had finished. Its kernel died with it."""


@dataclass(frozen=True)
class DataSourceRequest:
    """A data source and the run's own login. ``limits``: rows, bytes, statement_s, connections."""

    name: str
    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    sslmode: str = "disable"
    limits: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ExecuteRequest:
    """One run. ``notebook`` is the approved document with the parameters cell already in place."""

    run_id: str
    environment: str
    environment_lock_sha256: str
    kernel_name: str
    notebook: dict[str, Any] = field(repr=False)
    limits: Mapping[str, float] = field(default_factory=dict)
    data_sources: tuple[DataSourceRequest, ...] = ()
    #: The kernel stays after its cells until ``Session.end``, and messages of widgets pass.
    live: bool = False

    def as_message(self) -> dict[str, Any]:
        """The first line of the connection."""
        return {"op": "execute", **asdict(self)}


def _connect(path: Path | str, timeout_s: float | None) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout_s)
    try:
        connection.connect(str(path))
    except OSError as problem:
        connection.close()
        raise KernelHostUnavailable(str(path)) from problem
    return connection


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


class Session:
    """A run in progress. Closing it before the end kills the run."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = bytearray()
        self._searched = 0
        self._over = False
        # A live session's messages are sent from another thread than its end.
        self._sending = threading.Lock()

    def events(self, timeout_s: float | None = None) -> Iterator[dict[str, Any] | None]:
        """Each event as it comes; None whenever ``timeout_s`` passed without one. Ends after the last.

        Kinds that a caller does not know are to be ignored.

        Raises:
            ConnectionLost: the kernel host went away.
        """
        while not self._over:
            line = self._next_line(timeout_s)
            if line is None:
                yield None
                continue
            event: dict[str, Any] = json.loads(line)
            self._over = event.get("event") in LAST_EVENTS
            yield event

    def _next_line(self, timeout_s: float | None) -> bytes | None:
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            end = self._buffer.find(b"\n", self._searched)
            if end >= 0:
                line = bytes(self._buffer[:end])
                del self._buffer[: end + 1]
                self._searched = 0
                return line
            self._searched = len(self._buffer)
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            readable, _, _ = select.select([self._connection], [], [], left)
            if not readable:
                return None
            self._receive()

    def _receive(self) -> None:
        try:
            data = self._connection.recv(READ_BYTES)
        except OSError as problem:
            raise ConnectionLost from problem
        if not data:
            raise ConnectionLost
        self._buffer += data

    def cancel(self) -> None:
        """Ask for an orderly end; ``finished`` follows within two seconds, with what there is."""
        self._send({"op": "cancel"})

    def end(self) -> None:
        """End a live session: a success when all its cells were executed, else as ``cancel``."""
        self._send({"op": "end"})

    def say(self, frame: bytes) -> None:
        """Send a live session's kernel a message of the page, as ``runner.live.frames`` writes it."""
        self._send({"op": "frame", "frame": base64.b64encode(frame).decode()})

    def _send(self, message: dict[str, Any]) -> None:
        """Raises ConnectionLost."""
        try:
            with self._sending:
                self._connection.sendall(_line(message))
        except OSError as problem:
            # Half a line may have gone out: nothing that follows would be understood.
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
            raise ConnectionLost from problem

    def close(self) -> None:
        """Hang up. Whatever still runs is killed at once."""
        self._over = True
        self._connection.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def execute(socket_path: Path | str, request: ExecuteRequest) -> Session:
    """Start a run.

    Raises:
        KernelHostUnavailable: nobody listens.
        ConnectionLost: the host hung up while the request was sent.
    """
    connection = _connect(socket_path, None)
    # A host that takes nothing is as good as gone.
    seconds = struct.pack("ll", SEND_TIMEOUT_S, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, seconds)
    try:
        connection.sendall(_line(request.as_message()))
    except OSError as problem:
        connection.close()
        raise ConnectionLost from problem
    return Session(connection)


def status(socket_path: Path | str) -> dict[str, Any]:
    """The host's layers and how much it does.

    Raises:
        KernelHostUnavailable: nobody listens, or no answer came in time.
    """
    with _connect(socket_path, STATUS_TIMEOUT_S) as connection:
        try:
            connection.sendall(_line({"op": "status"}))
            with connection.makefile("rb") as stream:
                answer: dict[str, Any] = json.loads(stream.readline())
                return answer
        except (OSError, ValueError) as problem:
            raise KernelHostUnavailable(str(socket_path)) from problem
