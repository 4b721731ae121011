"""Hand a run to the workers by the task's name; only its id travels."""

import logging
from uuid import UUID

import redis
from celery import Celery
from celery import current_app as celery_app
from kombu.exceptions import KombuError

logger = logging.getLogger(__name__)


def enqueue_run(run_id: UUID, *, queue: str, app: Celery | None = None) -> None:
    """Put a message on the queue: whoever gets it takes the run whose turn it is.

    A message too many does no harm. One that the broker does not take is logged: the
    run is recorded as queued, and the sweep sends its message again.
    """
    try:
        (app or celery_app).send_task(
            "runner.execute_run", kwargs={"run_id": str(run_id)}, queue=queue
        )
    except (KombuError, redis.RedisError, OSError) as error:
        logger.warning("run.not_enqueued run_id=%s %s", run_id, type(error).__name__)
