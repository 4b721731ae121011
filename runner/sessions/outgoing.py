"""The worker's end of a session's streams: one writer of what pages hear, one reader of what they say."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any
from uuid import UUID

import redis
from django.conf import settings

from runner.kernelhost.client import SEND_TIMEOUT_S
from runner.live.frames import Frame, encode
from runner.sessions.streams import (
    EVERYBODY,
    LIFETIME_S,
    BadEntry,
    Entry,
    Said,
    Sealer,
    in_key,
    out_key,
    out_place,
)

logger = logging.getLogger(__name__)

#: What a page that is slow may lag behind; one that lags further is shown everything anew.
MAX_BYTES = 96 * 1024 * 1024
MAX_ENTRIES = 5_000
#: How long a read waits for an entry, and how long after one that failed (seconds).
READ_S, PAUSE_S = 1.0, 0.5
#: Entries of one reading; each may have megabytes.
READ_AT_ONCE = 8
#: After a write that failed, none is tried for so long: one that hangs holds up everything.
QUIET_S = 5.0
_TIMEOUTS: dict[str, Any] = {"socket_timeout": 3.0, "socket_connect_timeout": 1.0}


class Outgoing:
    """Writes `out`, numbered; while the broker is away what is written is lost, and seen to be."""

    def __init__(self, run_id: UUID) -> None:
        self._key = out_key(run_id)
        self._sealer = Sealer(run_id)
        self._client = redis.Redis.from_url(settings.BROKER_URL, **_TIMEOUTS)
        self._number = 0
        self._kept: deque[tuple[int, int]] = deque()
        self._kept_bytes = 0
        self._is_away = self._has_lost = False
        self._quiet_until = 0.0

    def showing(self, connection: str) -> None:
        """Say that what follows is everything, for the page that has just connected."""
        self._write([Entry(Said.SHOWING, connection)])

    def send(self, *frames: Frame, to: str = EVERYBODY) -> None:
        """Send messages to one page, or to all."""
        self._write([Entry(Said.FRAME, to, encode(frame)) for frame in frames])

    def keep(self) -> None:
        """Let the stream live on; where something got lost, let readers see that it did."""
        if self._has_lost:
            # For nobody: its number is what tells.
            self._write([Entry(Said.SHOWING, EVERYBODY)])
        self._try(lambda: self._client.expire(self._key, LIFETIME_S))

    def close(self) -> None:
        """Let go of the connection; the stream ends by itself."""
        self._client.close()

    def _write(self, entries: list[Entry]) -> None:
        if not entries:
            return
        pipeline = self._client.pipeline(transaction=False)
        for entry in entries:
            self._number += 1
            fields = self._sealer.seal(entry, place=out_place(self._number))
            self._kept.append((self._number, len(entry.body)))
            self._kept_bytes += len(entry.body)
            pipeline.xadd(self._key, fields, id=f"{self._number}-0")  # type: ignore[arg-type]  # bytes are fields too
        if self._forget_oldest():
            pipeline.xtrim(self._key, minid=f"{self._kept[0][0]}-0", approximate=False)
        pipeline.expire(self._key, LIFETIME_S)
        self._try(pipeline.execute)

    def _forget_oldest(self) -> bool:
        has_forgotten = False
        while len(self._kept) > 1 and (
            self._kept_bytes > MAX_BYTES or len(self._kept) > MAX_ENTRIES
        ):
            _, size_bytes = self._kept.popleft()
            self._kept_bytes -= size_bytes
            has_forgotten = True
        return has_forgotten

    def _try(self, write: Callable[[], Any]) -> None:
        if time.monotonic() < self._quiet_until:
            self._has_lost = True
            return
        try:
            write()
        except redis.RedisError as error:
            if not self._is_away:
                logger.warning(
                    "live.not_sent key=%s %s", self._key, type(error).__name__
                )
            self._is_away = self._has_lost = True
            self._quiet_until = time.monotonic() + QUIET_S
        else:
            self._is_away = self._has_lost = False


class Incoming:
    """Reads `in` in a thread of its own and hands over each entry; a broken one is passed over."""

    def __init__(self, run_id: UUID, take: Callable[[Entry], None]) -> None:
        self._run_id = run_id
        self._key = in_key(run_id)
        self._sealer = Sealer(run_id)
        self._take = take
        self._client = redis.Redis.from_url(settings.BROKER_URL, **_TIMEOUTS)
        #: Connection → number of the last thing it said: nothing counts twice.
        self._numbers: dict[str, int] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(
            target=self._read_on, daemon=True, name=f"live-{run_id.hex[:8]}"
        )

    def start(self) -> None:
        """Begin to read, from the first entry that is still there."""
        self._thread.start()

    def close(self) -> None:
        """Stop; nothing is handed over afterwards, and the stream is gone."""
        self._is_over.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(READ_S + SEND_TIMEOUT_S)
        try:
            self._client.delete(self._key)
        except redis.RedisError as error:
            logger.warning(
                "live.not_deleted key=%s %s", self._key, type(error).__name__
            )
        self._client.close()

    def _read_on(self) -> None:
        last = b"0-0"
        while not self._is_over.is_set():
            try:
                last = self._read(last)
            except redis.RedisError as error:
                logger.warning(
                    "live.not_read key=%s %s", self._key, type(error).__name__
                )
                self._is_over.wait(PAUSE_S)

    def _read(self, last: bytes) -> bytes:
        wait_ms = int(READ_S * 1000)
        found: Any = self._client.xread(
            {self._key: last}, count=READ_AT_ONCE, block=wait_ms
        )
        for _, entries in found or []:
            for last, fields in entries:
                if self._is_over.is_set():
                    return last
                self._hand_over(fields)
            # Who writes asks how much waits; what was read waits no more.
            self._client.xdel(self._key, *(entry_id for entry_id, _ in entries))
        return last

    def _hand_over(self, fields: dict[bytes, bytes]) -> None:
        try:
            entry, number = self._sealer.open_said(fields)
            if number <= self._numbers.get(entry.connection, 0):
                raise BadEntry
        except BadEntry:
            logger.error("live.bad_entry run_id=%s", self._run_id)
            return
        self._numbers[entry.connection] = number
        try:
            self._take(entry)
        except Exception:  # one message must not silence a session
            logger.exception("live.message_failed run_id=%s", self._run_id)
