"""What the runs of a time tell about the service: how many wait, how long starts and runs take.

Numbers only: no person, no notebook, no value.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Aggregate, Count, DurationField, F, Min, Q

from runner.models import Run
from runner.workflow import ACTIVE, Status


class Percentile(Aggregate):
    """PostgreSQL's `percentile_cont` of a duration; `share` is between 0 and 1."""

    function = "percentile_cont"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()

    def __init__(self, expression: Any, *, share: float, **extra: Any) -> None:
        super().__init__(expression, share=share, **extra)


@dataclass(frozen=True)
class Spread:
    """Half of them took at most `median_ms`, 19 of 20 at most `p95_ms`; None where none did."""

    median_ms: int | None
    p95_ms: int | None


@dataclass(frozen=True)
class Load:
    """Runs and previews, now and since a time."""

    since: datetime
    queued: int
    under_way: int
    #: How long the first in the queue has waited.
    longest_wait_ms: int | None
    #: How many ended since then, by status.
    ended: dict[str, int]
    #: From the request to the first cell, and from there to the end.
    start: Spread
    run: Spread


def load(*, since: datetime, now: datetime) -> Load:
    """Return what the runs tell since `since`."""
    active = Run.objects.filter(status__in=ACTIVE).aggregate(
        queued=Count("pk", filter=Q(status=Status.QUEUED)),
        all=Count("pk"),
        first=Min("queued_at", filter=Q(status=Status.QUEUED)),
    )
    ended = Run.objects.filter(finished_at__gte=since)
    counted = ended.order_by().values_list("status").annotate(Count("pk"))
    waited = now - active["first"] if active["first"] else None
    return Load(
        since=since,
        queued=active["queued"],
        under_way=active["all"] - active["queued"],
        longest_wait_ms=_milliseconds(waited),
        ended=dict(counted.values_list("status", "pk__count")),
        start=_spread(ended, F("started_at") - F("queued_at")),
        run=_spread(ended, F("finished_at") - F("started_at")),
    )


def _spread(runs: Any, duration: Any) -> Spread:
    found = runs.exclude(started_at=None).aggregate(
        median=Percentile(duration, share=0.5), p95=Percentile(duration, share=0.95)
    )
    return Spread(_milliseconds(found["median"]), _milliseconds(found["p95"]))


def _milliseconds(duration: timedelta | None) -> int | None:
    return None if duration is None else round(duration.total_seconds() * 1000)
