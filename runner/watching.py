"""Wait for a run without holding a database connection or a thread."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Protocol, TypeVar
from uuid import UUID

import redis.asyncio
import redis.exceptions
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections

from runner.models import Run
from runner.progress import ENDED, channel
from runner.workflow import FINAL

T = TypeVar("T")


class Wait(Protocol):
    """Waits for a signal, `wanted` or any, at most so many seconds."""

    def __call__(
        self, timeout_s: float, wanted: bytes | None = None
    ) -> Awaitable[None]: ...


#: A signal can be lost, so the database is asked this often anyway (seconds).
LOOK_EVERY_S = 2.0
#: How long the broker is waited for (seconds).
PATIENCE_S = 1.0


async def watch(
    run_id: UUID,
    look: Callable[[], T],
    *,
    lifetime_s: float,
    every_s: float = LOOK_EVERY_S,
    wanted: bytes | None = None,
) -> AsyncGenerator[T, None]:
    """Yield what `look` finds: at once, after every signal, and every `every_s`.

    Who wants one signal only does not look after the others.

    `look` reads the database, in a thread whose connection is closed afterwards.
    """
    loop = asyncio.get_running_loop()
    over_at = loop.time() + lifetime_s
    async with signals(run_id) as wait:
        while True:
            yield await ask(look)
            left_s = over_at - loop.time()
            if left_s <= 0:
                return
            await wait(min(every_s, left_s), wanted)


async def ended(run_id: UUID, *, within_s: float) -> bool:
    """Wait for the run's end, at most so many seconds; tell whether it has come."""

    def is_over() -> bool:
        return Run.objects.filter(pk=run_id, status__in=FINAL).exists()

    async with contextlib.aclosing(
        watch(run_id, is_over, lifetime_s=within_s, wanted=ENDED)
    ) as looks:
        async for over in looks:
            if over:
                return True
    return False


def let_go() -> None:
    """Close this thread's database connections, unless a transaction is open."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


async def ask(look: Callable[[], T]) -> T:
    """Return what `look` finds in the database, from a thread that keeps no connection."""
    return await sync_to_async(_and_let_go, thread_sensitive=False)(look)


def _and_let_go(look: Callable[[], T]) -> T:
    try:
        return look()
    finally:
        let_go()


@contextlib.asynccontextmanager
async def signals(run_id: UUID) -> AsyncIterator[Wait]:
    """Give a function that waits for a signal.

    Without a broker it only waits: the database is the truth, signals are a hint.
    """
    # Under a timeout of redis-py's, which wait_for keeps, a cancellation can get lost before
    # Python 3.12, and whoever has gone would be waited for to the end.
    client = redis.asyncio.Redis.from_url(
        settings.BROKER_URL, socket_timeout=None, socket_connect_timeout=None
    )
    pubsub = client.pubsub()

    async def wait(timeout_s: float, wanted: bytes | None = None) -> None:
        if pubsub.connection is None:  # nobody took the subscription
            await asyncio.sleep(timeout_s)
            return
        over_at = asyncio.get_running_loop().time() + timeout_s
        left_s = timeout_s
        try:
            while left_s > 0:
                async with asyncio.timeout(left_s + PATIENCE_S):
                    heard = await pubsub.get_message(
                        ignore_subscribe_messages=True, timeout=left_s
                    )
                if heard is not None and wanted in {None, heard["data"]}:
                    return
                left_s = over_at - asyncio.get_running_loop().time()
        except (redis.exceptions.RedisError, TimeoutError):
            left_s = over_at - asyncio.get_running_loop().time()
            await asyncio.sleep(max(left_s, 0))

    try:
        with contextlib.suppress(redis.exceptions.RedisError, TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await pubsub.subscribe(channel(run_id))
        yield wait
    finally:
        with contextlib.suppress(redis.exceptions.RedisError):
            await pubsub.aclose()
        await client.aclose()
