"""One page's end of the streams: what it says arrives in the order in which it was said."""

import asyncio
from collections.abc import Callable, Iterator
from typing import TypeVar
from uuid import UUID, uuid4

import pytest
import redis
from django.conf import settings

from runner.sessions import wire
from runner.sessions.streams import Said, Sealer, in_key

T = TypeVar("T")
pytestmark = pytest.mark.usefixtures("django_db_setup")


@pytest.fixture
def run_id() -> Iterator[UUID]:
    made = uuid4()
    yield made
    with redis.Redis.from_url(settings.BROKER_URL) as broker:
        broker.delete(in_key(made))


async def test_nothing_overtakes_what_takes_long_to_seal(
    run_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker takes rising numbers only, so what is overtaken would be lost."""

    async def slowly(size_bytes: int, work: Callable[[], T]) -> T:
        await asyncio.sleep(0.3 if size_bytes else 0)
        return work()

    monkeypatch.setattr(wire, "apart", slowly)
    page = wire.Wire(run_id)
    saying = asyncio.create_task(page.say(Said.FRAME, b"large"))
    await asyncio.sleep(0.1)
    await page.say(Said.HERE)
    await saying
    await page.close()
    with redis.Redis.from_url(settings.BROKER_URL) as broker:
        entries = broker.xrange(in_key(run_id))
    opened = [Sealer(run_id).open_said(fields) for _, fields in entries]
    assert [(entry.said, number) for entry, number in opened] == [
        (Said.FRAME, 1),
        (Said.HERE, 2),
    ]
