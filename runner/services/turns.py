"""Whose turn it is: taken under one lock, and handed on when a run ends."""

from functools import partial
from uuid import UUID

from django.db import connection, transaction

from runner.dispatch import enqueue_run
from runner.line import next_after, turns
from runner.models import Run
from runner.workflow import Status

#: "turn": keeps apart from other advisory locks.
_ADVISORY_LOCK_CLASS = 0x7475726E


def lock_next_run(run_id: UUID) -> Run | None:
    """Lock the run whose turn it is in the queue of `run_id`; None when none may start.

    One claim at a time: two that counted at once would both take the last place of a
    person or a version. The lock comes first of all and ends with the transaction.
    """
    queue = Run.objects.values_list("queue", flat=True).filter(pk=run_id).first()
    if queue is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [_ADVISORY_LOCK_CLASS])
    waiting = Run.objects.filter(status=Status.QUEUED)
    for pk in turns(queue):
        locked = (
            waiting.select_for_update(of=("self",), no_key=True, skip_locked=True)
            .filter(pk=pk)
            .first()
        )
        if locked is not None:
            return locked
    return None


def hand_on(run: Run) -> None:
    """Send for the runs that the end of this one makes room for, once it is committed."""
    transaction.on_commit(partial(_send_for_next, run))


def _send_for_next(run: Run) -> None:
    for run_id, queue in next_after(run):
        enqueue_run(run_id, queue=queue)
