"""Which statement the server is working on: texts, row counts, durations and SQLSTATEs.

Follows both directions of the protocol, simple and extended, pipelined or not.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from runner.kernelhost.proxy.frames import (
    Frame,
    ProtocolViolation,
    error_fields,
    text_at,
)

MAX_TEXT_CHARS = 65_536
CUT = " … (cut)"
MAX_PENDING = 10_000
MAX_NAMES = 1_000
CONTROL = re.compile(
    r"\s*(begin|start|commit|end|rollback|abort|savepoint|release|deallocate|close)\b",
    re.IGNORECASE,
)
IN_FAILED_TRANSACTION = "25P02"
Record = Callable[[dict[str, Any]], None]


def is_control(text: str) -> bool:
    """Whether a statement only steers a transaction or tidies up, and so reads nothing."""
    return CONTROL.match(text) is not None


def shortened(text: str) -> str:
    """A statement's text as it is recorded."""
    return text if len(text) <= MAX_TEXT_CHARS else text[:MAX_TEXT_CHARS] + CUT


@dataclass
class Item:
    """Something that the server still has to answer: Q(uery), P(arse), E(xecute) or S(ync)."""

    kind: str
    text: str = ""
    started: float = field(default_factory=time.monotonic)
    rows: int = 0
    sqlstate: str | None = None


class Statements:
    """The open statements of one connection; each is recorded once, when it is answered."""

    def __init__(self, source: str, record: Record) -> None:
        self.source = source
        self.record = record
        self.pending: deque[Item] = deque()
        self.prepared: dict[str, str] = {}
        self.portals: dict[str, str] = {}
        self.head_since = time.monotonic()

    def sent(self, frame: Frame) -> bool:
        """Note a message of the client. True when it starts a statement.

        Raises:
            ProtocolViolation: it is malformed, or too many are unanswered.
        """
        if len(self.pending) >= MAX_PENDING:
            raise ProtocolViolation("too many unanswered messages")
        if frame.kind == b"Q":
            self._push(Item("Q", text_at(frame.payload, 0)[0]))
        elif frame.kind == b"P":
            name, position = text_at(frame.payload, 0)
            text, _ = text_at(frame.payload, position)
            self._name(self.prepared, name, text)
            self._push(Item("P", text))
        elif frame.kind == b"B":
            portal, position = text_at(frame.payload, 0)
            name, _ = text_at(frame.payload, position)
            self._name(self.portals, portal, self.prepared.get(name, ""))
        elif frame.kind == b"E":
            portal, _ = text_at(frame.payload, 0)
            self._push(Item("E", self.portals.get(portal, "")))
        elif frame.kind == b"S":
            self._push(Item("S"))
        return frame.kind in (b"Q", b"E")

    @staticmethod
    def _name(names: dict[str, str], name: str, text: str) -> None:
        names.pop(name, None)
        names[name] = shortened(text)
        if len(names) > MAX_NAMES:
            del names[next(iter(names))]

    def _push(self, item: Item) -> None:
        item.text = shortened(item.text)
        if not self.pending:
            self.head_since = item.started
        self.pending.append(item)

    def _pop(self) -> Item:
        item = self.pending.popleft()
        self.head_since = time.monotonic()
        return item

    def _head(self, *kinds: str) -> Item | None:
        return (
            self.pending[0] if self.pending and self.pending[0].kind in kinds else None
        )

    def rows(self, count: int) -> None:
        """Rows of the statement at the head go to the kernel."""
        if head := self._head("Q", "E"):
            head.rows += count

    def answered(self, frame: Frame) -> None:
        """Note a message of the server."""
        if frame.kind == b"1" and self._head("P"):
            self._pop()
        elif frame.kind in (b"C", b"I", b"s") and self._head("E"):
            self._finish(self._pop())
        elif frame.kind == b"E":
            self.failed(error_fields(frame.payload).get("C", "XX000"))
        elif frame.kind == b"Z":
            self._ready()

    def failed(self, sqlstate: str) -> None:
        """The statement at the head ended with an error."""
        head = self._head("Q", "E", "P")
        if head is None:
            return
        head.sqlstate = sqlstate
        if head.kind != "Q":
            self._finish(self._pop())
            # The server now skips everything up to the next Sync.
            while self._head("P", "E"):
                self._pop()

    def _ready(self) -> None:
        while self._head("P", "E"):
            self._pop()
        if item := self._head("Q", "S"):
            self._pop()
            if item.kind == "Q":
                self._finish(item)

    def _finish(self, item: Item) -> None:
        self.record(
            {
                "source": self.source,
                "text": item.text,
                "rows": item.rows,
                "duration_ms": int((time.monotonic() - item.started) * 1000),
                "sqlstate": item.sqlstate,
            }
        )

    def abandon(self, sqlstate: str) -> None:
        """The connection ends here: record what was still open."""
        while self.pending:
            item = self._pop()
            if item.kind in ("Q", "E"):
                item.sqlstate = item.sqlstate or sqlstate
                self._finish(item)

    @property
    def busy_s(self) -> float:
        """How long the server has been working on the statement at the head."""
        return time.monotonic() - self.head_since if self.pending else 0.0
