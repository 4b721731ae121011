"""Reads of runs: a person's own, and what an author may know of failures."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from accounts.models import User
from accounts.permissions import Permission, has_permission
from gallery.models import Notebook, Version
from runner.models import Run, RunKind
from runner.workflow import Queue


def runs_of(user: User) -> QuerySet[Run]:
    """Return the person's own runs and previews, newest first."""
    return _with_their_notebooks(Run.objects.filter(requested_by=user))


def recorded_runs(user: User) -> QuerySet[Run]:
    """Return the live sessions whose record exists for this person, newest first.

    Their own; for auditors everybody's: `runner.policies` says what of it they may see.
    """
    live = Run.objects.filter(queue=Queue.INTERACTIVE)
    if not has_permission(user, Permission.AUDIT_READ):
        live = live.filter(requested_by=user)
    return _with_their_notebooks(live)


def _with_their_notebooks(runs: QuerySet[Run]) -> QuerySet[Run]:
    return (
        runs.select_related("notebook", "version__notebook", "requested_by")
        .defer("version__document")
        .order_by("-queued_at")
    )


def runs_of_notebook(user: User, notebook: Notebook) -> QuerySet[Run]:
    """Return the person's own runs of one notebook, newest first."""
    return runs_of(user).filter(notebook=notebook)


@dataclass(frozen=True)
class RunFacts:
    """What a catalog row says of a notebook's runs."""

    last_run: UUID | None
    last_run_at: datetime | None
    #: Everybody's, without saying whose.
    this_month: int


def run_facts(
    user: User, notebooks: Iterable[Notebook], *, since: datetime
) -> dict[int, RunFacts]:
    """Return the person's last run of each notebook, and all runs since `since`."""
    runs = Run.objects.filter(
        notebook__in=[notebook.pk for notebook in notebooks], kind=RunKind.RUN
    )
    mine: dict[int, tuple[UUID, datetime]] = {}
    own = runs.filter(requested_by=user).order_by("notebook", "-queued_at")
    for pk, run_id, queued_at in own.distinct("notebook").values_list(
        "notebook", "pk", "queued_at"
    ):
        mine[pk] = (run_id, queued_at)
    counted = runs.values("notebook").annotate(
        recent=Count("pk", filter=Q(queued_at__gte=since))
    )
    facts = {}
    for row in counted.order_by():
        last_run, last_run_at = mine.get(row["notebook"], (None, None))
        facts[row["notebook"]] = RunFacts(last_run, last_run_at, row["recent"])
    return facts


def previews_of(version: Version) -> QuerySet[Run]:
    """Return everybody's previews of a version, newest first; not their results."""
    return (
        Run.objects.filter(version=version, kind=RunKind.PREVIEW)
        .select_related("requested_by")
        .order_by("-queued_at")
    )


def failures_of(notebook: Notebook) -> list[dict[str, Any]]:
    """Count failures on real data by version, cell, line and exception class.

    This is what an author may know of runs on data that the author may not see: no
    person, no message, no value.
    """
    fields = ("version__number", "error__cell", "error__line", "error__exception")
    return list(
        Run.objects.filter(notebook=notebook, kind=RunKind.RUN)
        .exclude(error__exception=None)
        .values(*fields)
        .annotate(times=Count("pk"))
        .order_by("-version__number", "-times")
    )
