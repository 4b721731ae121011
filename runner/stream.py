"""A run's changes as server-sent events: bare signals that hold no database connection."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import redis.asyncio
from asgiref.sync import sync_to_async
from django.conf import settings

from runner.models import Run
from runner.progress import channel
from runner.watching import let_go
from runner.workflow import FINAL

#: How long a stream lives (seconds); the browser then asks for another, signed in still.
LIFETIME_S = 300.0
#: A signal can be lost, so the database is asked this often anyway (seconds).
LOOK_EVERY_S = 5.0

_PROGRESS = b"event: progress\ndata: {}\n\n"
_FINISHED = b"event: finished\ndata: {}\n\n"


def is_own_run(run_id: UUID, person_id: int | None) -> bool:
    """Tell whether the run is this person's; the connection is given back at once."""
    try:
        return Run.objects.filter(pk=run_id, requested_by_id=person_id).exists()
    finally:
        let_go()


async def changes(run_id: UUID) -> AsyncIterator[bytes]:
    """Yield an event whenever the run has changed, and the last one when it has ended."""
    client = redis.asyncio.Redis.from_url(settings.BROKER_URL)
    loop = asyncio.get_running_loop()
    over_at = loop.time() + LIFETIME_S
    try:
        async with client.pubsub() as signals:
            await signals.subscribe(channel(run_id))
            seen: tuple[str, int] | None = None
            while loop.time() < over_at:
                now = await sync_to_async(_state)(run_id)
                if now[0] in FINAL:
                    yield _FINISHED
                    return
                yield _PROGRESS if now != seen else b": still here\n\n"
                seen = now
                await signals.get_message(
                    ignore_subscribe_messages=True, timeout=LOOK_EVERY_S
                )
    finally:
        await client.aclose()


def _state(run_id: UUID) -> tuple[str, int]:
    """Return what a page would show differently; the connection is given back."""
    try:
        status, cells_done = Run.objects.values_list("status", "cells_done").get(
            pk=run_id
        )
        return str(status), int(cells_done)
    finally:
        let_go()
