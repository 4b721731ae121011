"""Celery's entry points: ids in, one call each."""

from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from reviews.services import expire_approvals
from runner import execution, sweep
from runner.logs import about
from runner.services.heartbeats import watch_parts


@shared_task(name="runner.execute_run")
def execute_run(*, run_id: str, **_: object) -> None:
    """Execute one queued run; a second message for it finds nothing to claim."""
    with about(run_id=run_id):
        execution.execute(UUID(run_id))


@shared_task(name="runner.sweep_runs")
def sweep_runs(**_: object) -> None:
    """End lost runs, send forgotten messages again, take orphan logins away."""
    sweep.sweep_runs(now=timezone.now())


@shared_task(name="runner.sweep_heartbeats")
def sweep_heartbeats(**_: object) -> None:
    """Leave word for /readyz of which parts are alive."""
    watch_parts(clock=timezone.now)


@shared_task(name="runner.sweep_identities")
def sweep_identities(**_: object) -> None:
    """Bring every data source's people in line with ours."""
    sweep.sweep_identities(sources=settings.DATA_SOURCES.values())


@shared_task(name="runner.sweep_data_sources")
def sweep_data_sources(**_: object) -> None:
    """Check every data source; launches are refused while one fails."""
    sweep.sweep_data_sources(now=timezone.now())


@shared_task(name="runner.sweep_expired")
def sweep_expired(**_: object) -> None:
    """End approvals and results whose time is over."""
    now = timezone.now()
    expire_approvals(now=now)
    sweep.sweep_expired(now=now)
