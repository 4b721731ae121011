"""PostgreSQL protocol 3 messages: a bounded incremental scanner and the few that we write ourselves."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

HEADER = struct.Struct("!cI")
HEADER_BYTES = HEADER.size
#: What carries data to a client: a row, and a line that is copied out.
ROW_KINDS = (b"D", b"d")
MAX_FRONTEND_BYTES = 16 * 1024 * 1024
MAX_BACKEND_BYTES = 64 * 1024 * 1024
MAX_STARTUP_BYTES = 10_000

PROTOCOL_3 = 196608
SSL_REQUEST = 80877103
GSSENC_REQUEST = 80877104
CANCEL_REQUEST = 80877102


class ProtocolViolation(Exception):
    """A message is malformed or larger than we accept."""


@dataclass(frozen=True)
class Frame:
    """One message: its type letter, and its payload without the header."""

    kind: bytes
    payload: bytes

    def encode(self) -> bytes:
        """The bytes on the wire."""
        return HEADER.pack(self.kind, len(self.payload) + 4) + self.payload


@dataclass(frozen=True)
class Rows:
    """Rows one right after the other, as they came over the wire."""

    kind: bytes
    count: int
    data: bytes

    @property
    def payload_bytes(self) -> int:
        """Their size without the headers."""
        return len(self.data) - HEADER_BYTES * self.count

    def encode(self) -> bytes:
        """The bytes on the wire."""
        return self.data

    def one_by_one(self) -> Iterator[Rows]:
        """The same rows, each for itself."""
        start = 0
        while start < len(self.data):
            end = start + 1 + HEADER.unpack_from(self.data, start)[1]
            yield Rows(self.kind, 1, self.data[start:end])
            start = end


class Scanner:
    """Cuts a byte stream into messages of at most ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.pending = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Every message that is now complete.

        Raises:
            ProtocolViolation: a length is impossible or beyond the limit.
        """
        return [
            Frame(kind, data[HEADER_BYTES:]) for kind, _, data in self._messages(data)
        ]

    def feed_rows(self, data: bytes) -> list[Frame | Rows]:
        """The same, with the rows that follow each other in one piece.

        A result of many rows is mostly rows; handling each alone would cost more than the query.

        Raises:
            ProtocolViolation: a length is impossible or beyond the limit.
        """
        return [
            Rows(kind, count, data)
            if kind in ROW_KINDS
            else Frame(kind, data[HEADER_BYTES:])
            for kind, count, data in self._messages(data, gathered=ROW_KINDS)
        ]

    def _messages(
        self, data: bytes, gathered: tuple[bytes, ...] = ()
    ) -> list[tuple[bytes, int, bytes]]:
        """(kind, how many, their bytes); of the gathered kinds neighbours come together."""
        pending = self.pending
        pending += data
        found = []
        start, size = 0, len(pending)
        while (end := self._end(start, size)) is not None:
            kind, count = bytes(pending[start : start + 1]), 1
            while (
                kind in gathered
                and end < size
                and pending[end] == kind[0]
                and (following := self._end(end, size)) is not None
            ):
                end, count = following, count + 1
            found.append((kind, count, bytes(pending[start:end])))
            start = end
        del pending[:start]
        return found

    def _end(self, start: int, size: int) -> int | None:
        """Where the message at ``start`` ends, None while it is incomplete."""
        if size - start < HEADER_BYTES:
            return None
        length = HEADER.unpack_from(self.pending, start)[1]
        if not 4 <= length <= self.limit:
            raise ProtocolViolation(f"a message of {length} bytes")
        end = start + 1 + int(length)
        return end if end <= size else None


def text_at(payload: bytes, start: int) -> tuple[str, int]:
    """A zero-terminated text and the position after it.

    Raises:
        ProtocolViolation: it does not end.
    """
    end = payload.find(b"\0", start)
    if end < 0:
        raise ProtocolViolation("a text without an end")
    return payload[start:end].decode("utf-8", "replace"), end + 1


def startup_parameters(payload: bytes) -> dict[str, str]:
    """The name and value pairs of a startup message.

    Raises:
        ProtocolViolation: they do not pair up.
    """
    parameters: dict[str, str] = {}
    position = 0
    while position < len(payload) and payload[position] != 0:
        name, position = text_at(payload, position)
        value, position = text_at(payload, position)
        parameters[name] = value
    return parameters


def startup_message(parameters: dict[str, str]) -> bytes:
    """A startup message, which has no type letter."""
    body = (
        b"".join(f"{name}\0{value}\0".encode() for name, value in parameters.items())
        + b"\0"
    )
    return struct.pack("!II", len(body) + 8, PROTOCOL_3) + body


def error_response(sqlstate: str, message: str, severity: str = "FATAL") -> bytes:
    """An error that every client shows as the server's own."""
    fields = {"S": severity, "V": severity, "C": sqlstate, "M": message}
    body = b"".join(f"{key}{value}\0".encode() for key, value in fields.items()) + b"\0"
    return Frame(b"E", body).encode()


def error_fields(payload: bytes) -> dict[str, str]:
    """The fields of an error or notice, by their letter."""
    fields: dict[str, str] = {}
    position = 0
    while position < len(payload) and payload[position] != 0:
        letter = chr(payload[position])
        fields[letter], position = text_at(payload, position + 1)
    return fields


AUTHENTICATION_OK = Frame(b"R", struct.pack("!I", 0)).encode()


def backend_key(pid: int, secret: int) -> bytes:
    """The key with which a client asks to cancel."""
    return Frame(b"K", struct.pack("!II", pid, secret)).encode()


def cancel_request(pid: int, secret: int) -> bytes:
    """A cancel request, which has no type letter."""
    return struct.pack("!IIII", 16, CANCEL_REQUEST, pid, secret)


def negotiate_protocol(unknown: list[str]) -> bytes:
    """Tell a newer client to speak 3.0."""
    body = struct.pack("!II", 0, len(unknown)) + b"".join(
        f"{name}\0".encode() for name in unknown
    )
    return Frame(b"v", body).encode()
