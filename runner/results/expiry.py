"""Destroy results whose time is over: with the wrapped key goes the only way in."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.log import record
from runner.models import BATCHES, Run, RunResult
from runner.results.links import sweep_links


def expire_results(*, now: datetime) -> int:
    """Erase every result that is due, one transaction each; return how many.

    The sealed bytes hold their data key, wrapped; both are gone afterwards.  The
    run, its hashes and its events stay.
    """
    sweep_links(now=now)
    _expire_batches(now=now)
    due = RunResult.objects.filter(expired_at=None, expires_at__lte=now)
    return sum(_expire(pk, now=now) for pk in due.values_list("pk", flat=True))


@transaction.atomic
def _expire(pk: int, *, now: datetime) -> bool:
    due = RunResult.objects.filter(pk=pk, expired_at=None, expires_at__lte=now)
    if not due.update(notebook=None, html=None, statements=None, expired_at=now):
        return False
    result = RunResult.objects.select_related(
        "run__notebook", "run__version", "run__requested_by"
    ).get(pk=pk)
    record("result.expired", by=None, at=now, target=result.run)
    return True


def _expire_batches(*, now: datetime) -> None:
    """Erase what was kept apart from results, a transaction per run.

    A record goes as a whole when the time of its first part is over: its rest would tell a
    story without its beginning.
    """
    for run in Run.objects.filter(
        pk__in=_runs_with_due_batches(now=now)
    ).select_related("notebook", "version", "requested_by"):
        with transaction.atomic():
            deleted = [kind.objects.filter(run=run).delete()[0] for kind in BATCHES]
            if any(deleted):
                record("result.expired", by=None, at=now, target=run)


def _runs_with_due_batches(*, now: datetime) -> set[UUID]:
    return {
        run_id
        for kind in BATCHES
        for run_id in kind.objects.filter(expires_at__lte=now).values_list(
            "run", flat=True
        )
    }
