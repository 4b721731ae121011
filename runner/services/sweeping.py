"""What a crash leaves behind: runs without a worker, and runs that nobody took."""

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import transaction

from audit.transitions import move
from runner.dispatch import enqueue_run
from runner.line import held_back
from runner.models import Run
from runner.progress import signal_end
from runner.services.live_outputs import forget_outputs
from runner.services.turns import hand_on
from runner.workflow import ACTIVE, SUPERVISED, TRANSITIONS, Status

#: A supervisor beats every second; this long without one means that it is gone.
HEARTBEAT_TIMEOUT = timedelta(seconds=20)
#: After this long in the queue a message is presumed lost and sent again.
QUEUE_PATIENCE = timedelta(seconds=30)


def end_lost_runs(*, now: datetime) -> list[UUID]:
    """End every run whose worker has vanished; return their ids."""
    stale = Run.objects.filter(
        status__in=SUPERVISED, heartbeat_at__lt=now - HEARTBEAT_TIMEOUT
    ).values_list("pk", flat=True)
    return [pk for pk in list(stale) if _end_lost(pk, now=now)]


@transaction.atomic
def _end_lost(pk: UUID, *, now: datetime) -> bool:
    run = (
        Run.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        .select_related("notebook", "version")
        .filter(pk=pk, status__in=SUPERVISED, heartbeat_at__lt=now - HEARTBEAT_TIMEOUT)
        .first()
    )
    if run is None:
        return False
    message = (
        "The worker that ran it vanished, and what it had shown so far. Start it again."
    )
    move(
        run,
        to=Status.LOST,
        table=TRANSITIONS,
        by=None,
        now=now,
        finished_at=now,
        error={"code": "worker_lost", "message": message, "cell": None},
    )
    forget_outputs(run_id=pk)
    transaction.on_commit(partial(signal_end, pk))
    hand_on(run)
    return True


def reenqueue_waiting_runs(*, now: datetime) -> list[UUID]:
    """Send the message again for runs that no worker claimed; return their ids.

    A run that a limit holds back needs none: the end that frees its place sends one,
    and if that is lost, it is held back no more and is found here. The claim takes each
    run once, so a message too many does no harm.
    """
    waiting = (
        Run.objects.filter(status=Status.QUEUED, enqueued_at__lt=now - QUEUE_PATIENCE)
        .exclude(pk__in=held_back())
        .values_list("pk", "queue")
    )
    sent = []
    for pk, queue in list(waiting):
        taken = Run.objects.filter(
            pk=pk, status=Status.QUEUED, enqueued_at__lt=now - QUEUE_PATIENCE
        ).update(enqueued_at=now)
        if taken:
            enqueue_run(pk, queue=queue)
            sent.append(pk)
    return sent


def live_run_ids() -> set[UUID]:
    """Return the runs whose logins must not be taken away."""
    return set(Run.objects.filter(status__in=ACTIVE).values_list("pk", flat=True))
