"""What goes to and fro between a live session's pages and its worker, through Valkey.

Each session has two streams. `in` has many writers, the web processes; `out` has one, the
worker, whose entries are numbered 1, 2, 3, … so that a reader sees when one was trimmed away.
Every entry is sealed under a key of the session's own: who can read or write the queue can
neither read what a page shows nor speak for one. Nothing of it outlives the session by more
than `LIFETIME_S`.
"""

import os
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

#: How long the streams stay when nobody writes any more (seconds).
LIFETIME_S = 120
#: A page says so often that it is there (seconds).
PAGE_BEAT_S = 5.0
#: Entries that may wait for the worker.
MAX_IN_ENTRIES = 5_000
#: Connection id of what is for every page.
EVERYBODY = "0" * 16
CONNECTION_ID_CHARS = 16

_FIELD = b"e"
#: Beside what a page said: which page, and how much it had said before.
_FROM, _NUMBER = b"c", b"n"
_NONCE_BYTES = 12


class Said(StrEnum):
    """What an entry is; one character on the way."""

    #: in: a page connected and wants to be shown everything.
    JOIN = "J"
    #: in: a page is still there.
    HERE = "H"
    #: in: a page is gone.
    LEAVE = "L"
    #: in, out: a message, as frames.encode writes it.
    FRAME = "F"
    #: out: what follows is the whole of it, for the page that joined.
    SHOWING = "S"
    #: in: the session is to end; the body says why, in a word.
    END = "E"


@dataclass(frozen=True)
class Entry:
    """One entry: what it is, whose page it is from or for, and a body."""

    said: Said
    connection: str
    body: bytes = b""


class BadEntry(Exception):
    """This entry was not written by a process of this installation, for this place."""


class Sealer:
    """Seals and opens the entries of one session."""

    def __init__(self, run_id: UUID) -> None:
        self.run_id = run_id
        self._ciphers = [AESGCM(_key(key, run_id)) for key in settings.RESULT_KEYS]

    def seal(self, entry: Entry, *, place: str) -> dict[bytes, bytes]:
        """Return the stream's fields for an entry; `place` is what it is bound to."""
        plain = entry.said.encode() + entry.connection.encode("ascii") + entry.body
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[0].encrypt(nonce, plain, place.encode())
        return {_FIELD: nonce + sealed}

    def seal_said(self, entry: Entry, number: int) -> dict[bytes, bytes]:
        """Return the fields for what a page says; `number` rises with each."""
        place = f"in/{entry.connection}/{number}"
        return {
            **self.seal(entry, place=place),
            _FROM: entry.connection.encode("ascii"),
            _NUMBER: b"%d" % number,
        }

    def open_said(self, fields: dict[bytes, bytes]) -> tuple[Entry, int]:
        """Return what a page said, and its number.  Raises BadEntry."""
        try:
            number = int(fields[_NUMBER])
            place = f"in/{fields[_FROM].decode('ascii')}/{number}"
        except (KeyError, ValueError):
            raise BadEntry from None
        return self.open(fields, place=place), number

    def open(self, fields: dict[bytes, bytes], *, place: str) -> Entry:
        """Return the entry.  Raises BadEntry."""
        sealed = fields.get(_FIELD, b"")
        for cipher in self._ciphers:
            try:
                plain = cipher.decrypt(
                    sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode()
                )
                break
            except (InvalidTag, ValueError):
                continue
        else:
            raise BadEntry
        connection = plain[1 : 1 + CONNECTION_ID_CHARS].decode("ascii")
        said = Said(plain[:1].decode("ascii"))
        return Entry(said, connection, plain[1 + CONNECTION_ID_CHARS :])


def in_key(run_id: UUID) -> str:
    """Return the name of the stream that the worker reads."""
    return f"countersign:live:{run_id.hex}:in"


def out_key(run_id: UUID) -> str:
    """Return the name of the stream that pages read."""
    return f"countersign:live:{run_id.hex}:out"


def out_place(number: int) -> str:
    """Return what the entry with this number is bound to."""
    return f"out/{number}"


def number_of(entry_id: bytes) -> int:
    """Return the number of an entry of `out` from its id, `<number>-0`."""
    return int(entry_id.partition(b"-")[0])


def new_connection_id() -> str:
    """Return an id for a page that connects."""
    return os.urandom(CONNECTION_ID_CHARS // 2).hex()


def _key(key: bytes, run_id: UUID) -> bytes:
    kdf: Any = HKDF(
        hashes.SHA256(), length=32, salt=None, info=b"live-session/" + run_id.bytes
    )
    derived: bytes = kdf.derive(key)
    return derived
