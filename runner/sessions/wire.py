"""One page's end of the two streams of its session."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar
from uuid import UUID

import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import TimeoutError as BrokerTimeout

from runner.sessions.streams import (
    EVERYBODY,
    LIFETIME_S,
    MAX_IN_ENTRIES,
    Entry,
    Said,
    Sealer,
    in_key,
    new_connection_id,
    number_of,
    out_key,
    out_place,
)

T = TypeVar("T")

CLIENT_NAME = "countersign-live-page"
#: How long one reading waits for something to come, and then the broker for an answer.
BLOCK_S = 5.0
PATIENCE_S = 5.0
#: Entries of one reading; each may have megabytes.
READ_AT_ONCE = 16
#: What is larger is put into words and sealed in a thread, so that others need not wait.
LARGE_BYTES = 128 * 1024
#: Bytes that may wait for the worker before the next large message waits, too.
MAX_IN_BYTES = 128 * 1024 * 1024
#: How often, and how long, it is asked whether there is room again (seconds).
ROOM_EVERY_S, ROOM_WITHIN_S = 0.1, 10.0


class Missed(Exception):
    """Something of what the page must be shown is gone, so it must be shown all anew."""


class Stuffed(Exception):
    """The worker takes nothing any more of what is for it."""


@contextlib.asynccontextmanager
async def _in_time(seconds: float) -> AsyncIterator[None]:
    """Wait so long for the broker.  Raises redis.exceptions.TimeoutError."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise BrokerTimeout from None


async def apart(size_bytes: int, work: Callable[[], T]) -> T:
    """Do `work` on so many bytes: here, or in a thread when it would keep others waiting."""
    if size_bytes < LARGE_BYTES:
        return work()
    return await asyncio.to_thread(work)


class Wire:
    """Says to the worker what the page says, and reads what is for the page.

    Every method raises redis.exceptions.RedisError when the broker is away.
    """

    def __init__(self, run_id: UUID) -> None:
        self.connection = new_connection_id()
        self.is_shown = False
        self._sealer = Sealer(run_id)
        self._in, self._out = in_key(run_id), out_key(run_id)
        self._last = b"0-0"
        self._said = 0
        self._turn = asyncio.Lock()
        # A command is not sent twice: a button would be pressed twice.
        self._client: Any = redis.asyncio.Redis.from_url(
            settings.BROKER_URL,
            client_name=CLIENT_NAME,
            retry=Retry(NoBackoff(), 0),
            # Timeouts are ours: under redis-py's, which wait_for keeps, a cancellation
            # can get lost before Python 3.12, and a page that has gone would stay.
            socket_timeout=None,
            socket_connect_timeout=None,
        )

    async def join(self) -> None:
        """Ask to be shown everything; what came before is not read."""
        async with _in_time(PATIENCE_S):
            newest = await self._client.xrevrange(self._out, count=1)
        self._last = newest[0][0] if newest else self._last
        await self.say(Said.JOIN)

    async def beat(self) -> None:
        """Say that the page is there, and still waits if nobody has shown it anything."""
        await self.say(Said.HERE if self.is_shown else Said.JOIN)

    async def say(self, said: Said, body: bytes = b"") -> None:
        """Put an entry into the worker's stream.  Raises Stuffed."""
        if len(body) >= LARGE_BYTES:
            await self._room(len(body))
        entry = Entry(said, self.connection, body)
        # What is said counts in the order of its numbers: nothing may overtake.
        async with self._turn:
            self._said += 1
            number = self._said
            fields = await apart(
                len(body), lambda: self._sealer.seal_said(entry, number)
            )
            async with (
                _in_time(PATIENCE_S),
                self._client.pipeline(transaction=False) as pipe,
            ):
                pipe.xadd(self._in, fields, maxlen=MAX_IN_ENTRIES, approximate=True)
                pipe.expire(self._in, LIFETIME_S)
                await pipe.execute()

    async def _room(self, size_bytes: int) -> None:
        try:
            async with asyncio.timeout(ROOM_WITHIN_S):
                while await self._waiting_bytes() + size_bytes > MAX_IN_BYTES:
                    await asyncio.sleep(ROOM_EVERY_S)
        except TimeoutError:
            raise Stuffed from None

    async def _waiting_bytes(self) -> int:
        async with _in_time(PATIENCE_S):
            return await self._client.memory_usage(self._in) or 0

    async def read(self) -> list[bytes]:
        """Return the frames that came for the page, perhaps none, within BLOCK_S.

        None comes before the worker has begun to show this page everything.  Raises
        BadEntry, Missed.
        """
        async with _in_time(BLOCK_S + PATIENCE_S):
            found = await self._client.xread(
                {self._out: self._last}, count=READ_AT_ONCE, block=int(BLOCK_S * 1000)
            )
        frames = []
        for entry_id, fields in found[0][1] if found else ():
            entry = await self._opened(entry_id, fields)
            self._last = entry_id
            is_mine = entry.connection == self.connection
            is_ours = is_mine or entry.connection == EVERYBODY
            if entry.said is Said.SHOWING and is_mine:
                self.is_shown = True
            elif entry.said is Said.FRAME and is_ours and self.is_shown:
                frames.append(entry.body)
        return frames

    async def _opened(self, entry_id: bytes, fields: dict[bytes, bytes]) -> Entry:
        number = number_of(entry_id)
        if self.is_shown and entry_id != b"%d-0" % (number_of(self._last) + 1):
            raise Missed
        size_bytes = sum(map(len, fields.values()))
        place = out_place(number)
        return await apart(size_bytes, lambda: self._sealer.open(fields, place=place))

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.aclose()
