"""A run's changes as server-sent events: bare signals that hold no database connection."""

import contextlib
import functools
from collections.abc import AsyncIterator
from uuid import UUID

from runner.line import Place, place_of
from runner.models import Run
from runner.watching import let_go, watch
from runner.workflow import FINAL

#: How long a stream lives (seconds); the browser then asks for another, signed in still.
LIFETIME_S = 300.0
#: A signal can be lost, so the database is asked this often anyway (seconds).
LOOK_EVERY_S = 5.0

_PROGRESS = b"event: progress\ndata: {}\n\n"
_FINISHED = b"event: finished\ndata: {}\n\n"
_NO_NEWS = b": still here\n\n"


def is_own_run(run_id: UUID, person_id: int | None) -> bool:
    """Tell whether the run is this person's; the connection is given back at once."""
    try:
        return Run.objects.filter(pk=run_id, requested_by_id=person_id).exists()
    finally:
        let_go()


async def changes(run_id: UUID) -> AsyncIterator[bytes]:
    """Yield an event whenever the run has changed, and the last one when it has ended."""
    look = functools.partial(_state, run_id)
    seen: tuple[str, int, Place | None] | None = None
    async with contextlib.aclosing(
        watch(run_id, look, lifetime_s=LIFETIME_S, every_s=LOOK_EVERY_S)
    ) as looks:
        async for now in looks:
            if now[0] in FINAL:
                yield _FINISHED
                return
            yield _PROGRESS if now != seen else _NO_NEWS
            seen = now


def _state(run_id: UUID) -> tuple[str, int, Place | None]:
    """Return what a page would show differently."""
    run = Run.objects.only("status", "cells_done").get(pk=run_id)
    return run.status, run.cells_done, place_of(run)
