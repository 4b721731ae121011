"""Who waits for a run hears its signals, and looks no oftener than it has to."""

import asyncio
import time
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from runner import watching
from runner.progress import signal_change, signal_end

pytestmark = pytest.mark.usefixtures("committed_db")


def looks_while(act: Callable[[UUID], None], wanted: bytes | None) -> int:
    """Count the looks of somebody who follows a run while `act` signals."""
    run_id, looks = uuid4(), 0

    def look() -> None:
        nonlocal looks
        looks += 1

    async def follow() -> None:
        async for _ in watching.watch(
            run_id, look, lifetime_s=30, every_s=30, wanted=wanted
        ):
            pass

    async def both() -> None:
        following = asyncio.create_task(follow())
        while not looks:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        await sync_to_async(act)(run_id)
        await asyncio.sleep(0.5)
        following.cancel()

    asyncio.run(both())
    return looks


def changes(run_id: UUID) -> None:
    """Three changes, apart."""
    for _ in range(3):
        signal_change(run_id)
        time.sleep(0.2)


def test_a_look_leaves_its_connection_to_others() -> None:
    used: list[BaseDatabaseWrapper] = []

    def look() -> None:
        connections["default"].ensure_connection()
        used.append(connections["default"])

    async def follow() -> None:
        async for _ in watching.watch(uuid4(), look, lifetime_s=0):
            assert used[0].connection is None

    asyncio.run(follow())
    assert len(used) == 1


async def _left_after(seconds: float) -> bool:
    """Tell whether who has gone after so long is not waited for."""

    async def follow() -> None:
        async for _ in watching.watch(uuid4(), lambda: None, lifetime_s=30, every_s=30):
            pass

    following = asyncio.create_task(follow())
    await asyncio.sleep(seconds)
    following.cancel()
    await asyncio.wait([following], timeout=2)
    return following.cancelled()


async def test_who_goes_while_the_broker_is_asked_has_gone() -> None:
    assert all([await _left_after(n / 10_000) for n in range(100)])


def test_who_follows_looks_after_every_change() -> None:
    assert looks_while(changes, wanted=None) == 1 + 3


def test_who_waits_for_the_end_does_not_look_after_changes() -> None:
    assert looks_while(changes, wanted=watching.ENDED) == 1


def test_who_waits_for_the_end_looks_when_it_has_come() -> None:
    assert looks_while(signal_end, wanted=watching.ENDED) == 1 + 1
