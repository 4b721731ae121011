"""Hand a run to the workers by the task's name; only its id travels."""

from uuid import UUID

from celery import current_app


def enqueue_run(run_id: UUID) -> None:
    """Put the run on the queue; a second message for the same run does no harm."""
    current_app.send_task("runner.execute_run", kwargs={"run_id": str(run_id)})
