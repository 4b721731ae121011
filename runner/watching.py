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
from runner.progress import ENDED, TIMEOUTS, channel
from runner.workflow import FINAL

T = TypeVar("T")


class Wait(Protocol):
    """Waits for a signal, `wanted` or any, at most so many seconds."""

    def __call__(
        self, timeout_s: float, wanted: bytes | None = None
    ) -> Awaitable[None]: ...


#: A signal can be lost, so the database is asked this often anyway (seconds).
LOOK_EVERY_S = 2.0


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
            yield await sync_to_async(_and_let_go, thread_sensitive=False)(look)
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
    client = redis.asyncio.Redis.from_url(settings.BROKER_URL, **TIMEOUTS)
    pubsub = client.pubsub()

    async def wait(timeout_s: float, wanted: bytes | None = None) -> None:
        if pubsub.connection is None:  # nobody took the subscription
            await asyncio.sleep(timeout_s)
            return
        over_at = asyncio.get_running_loop().time() + timeout_s
        left_s = timeout_s
        try:
            while left_s > 0:
                heard = await pubsub.get_message(
                    ignore_subscribe_messages=True, timeout=left_s
                )
                if heard is not None and wanted in {None, heard["data"]}:
                    return
                left_s = over_at - asyncio.get_running_loop().time()
        except redis.exceptions.RedisError:
            await asyncio.sleep(max(left_s, 0))

    try:
        with contextlib.suppress(redis.exceptions.RedisError):
            await pubsub.subscribe(channel(run_id))
        yield wait
    finally:
        with contextlib.suppress(redis.exceptions.RedisError):
            await pubsub.aclose()
        await client.aclose()
