"""The states of a run and the only moves between them."""

from django.db.models import TextChoices


class Status(TextChoices):
    """Where a run stands; the database is the only truth on it."""

    #: Requested and recorded; no worker has it yet.
    QUEUED = "queued", "Waiting for its turn"
    #: A worker claimed it and prepares the login and the kernel.
    STARTING = "starting", "Starting"
    #: The kernel executes cells.
    RUNNING = "running", "Running"
    #: Every cell was executed.
    SUCCEEDED = "succeeded", "Finished"
    #: A cell raised an error, or the run could not be started.
    FAILED = "failed", "Failed"
    #: It used up its wall clock or a cell's time.
    TIMED_OUT = "timed_out", "Ran out of time"
    #: Its person, or the end of the approval or of a right, stopped it.
    CANCELLED = "cancelled", "Cancelled"
    #: The kernel ended by itself.
    KERNEL_DIED = "kernel_died", "Stopped unexpectedly"
    #: The kernel was killed at its memory limit.
    OUT_OF_MEMORY = "out_of_memory", "Ran out of memory"
    #: It wrote more output than a run may.
    OUTPUT_LIMIT = "output_limit", "Wrote too much output"
    #: The data source gave no login.
    ACCESS_DENIED = "access_denied", "Access denied"
    #: Its worker vanished.
    LOST = "lost", "Lost"


class Queue(TextChoices):
    """Where a run waits: each queue has workers of its own, so none starves another.

    The names are Celery's too.
    """

    #: A person asked on a page, and waits there.
    PAGE = "page", "Asked for on a page"
    #: A program asked through the API.
    API = "api", "Asked for through the API"
    #: Nobody waits: what a schedule or a command asks for.
    BATCH = "batch", "In the background"
    #: A live session, which holds its place for as long as somebody looks.
    INTERACTIVE = "interactive", "Open as a live page"


FINAL = frozenset(
    {
        Status.SUCCEEDED,
        Status.FAILED,
        Status.TIMED_OUT,
        Status.CANCELLED,
        Status.KERNEL_DIED,
        Status.OUT_OF_MEMORY,
        Status.OUTPUT_LIMIT,
        Status.ACCESS_DENIED,
        Status.LOST,
    }
)
ACTIVE = frozenset(Status) - FINAL
#: States in which a worker must be alive and show it.
SUPERVISED = frozenset({Status.STARTING, Status.RUNNING})

_WHILE_STARTING = frozenset(
    {
        Status.FAILED,
        Status.CANCELLED,
        Status.ACCESS_DENIED,
        Status.TIMED_OUT,
        Status.KERNEL_DIED,
        Status.OUT_OF_MEMORY,
        Status.LOST,
    }
)

TRANSITIONS: dict[str, frozenset[str]] = {
    Status.QUEUED: frozenset({Status.STARTING, Status.CANCELLED}),
    Status.STARTING: frozenset({Status.RUNNING, *_WHILE_STARTING}),
    Status.RUNNING: FINAL - {Status.ACCESS_DENIED},
    **{status: frozenset() for status in Status if status in FINAL},
}
