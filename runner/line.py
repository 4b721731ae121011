"""The lines in which runs wait: who is next, and what place somebody has.

A person's next run stands behind as many runs of others as that person has going: who
asks for fifty lets everybody else's first run through after one. Within one person it is
first come, first served. Whoever has reached a limit stands at the end and is passed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from runner.models import Run
from runner.workflow import Status

# Live sessions last as long as somebody looks: they hold back nobody's runs, and any number of people
# may look at one version.
# Reads the partial index `run_active` alone: as many rows as wait or are under way.
_LINE = """
WITH under_way AS (
    SELECT id, status, queue, queued_at, requested_by_id, version_id,
        count(*) FILTER (WHERE status <> 'queued')
            OVER (PARTITION BY requested_by_id, queue = 'interactive') AS of_person,
        CASE WHEN queue = 'interactive' THEN 0 ELSE
            count(*) FILTER (WHERE status <> 'queued')
            OVER (PARTITION BY version_id, queue = 'interactive') END AS of_version,
        count(*) FILTER (WHERE status = 'queued')
            OVER (PARTITION BY requested_by_id, queue ORDER BY queued_at, id) AS nth
    FROM runner_run WHERE status IN ('queued', 'starting', 'running')
), line AS (
    SELECT *, of_person >= %(person)s OR of_version >= %(version)s AS held
    FROM under_way WHERE status = 'queued'
), numbered AS (
    SELECT *, row_number() OVER (
        PARTITION BY queue ORDER BY held, of_person + nth, queued_at, id) AS place
    FROM line
)
"""

# More than one, since somebody may be about to cancel the first.
_TURNS = """
SELECT id FROM numbered WHERE queue = %(queue)s AND NOT held ORDER BY place LIMIT 5
"""
_NEXT_AFTER = """
(SELECT DISTINCT ON (queue) id, queue FROM numbered
    WHERE NOT held AND requested_by_id = %(person_id)s ORDER BY queue, place)
UNION
(SELECT DISTINCT ON (queue) id, queue FROM numbered
    WHERE NOT held AND version_id = %(version_id)s ORDER BY queue, place)
"""


@dataclass(frozen=True)
class Place:
    """Where a waiting run stands, and the limit that holds it back; nobody else's run."""

    number: int
    #: `own_limit`, `version_limit`, or nothing: it waits for a free place only.
    code: str = ""
    message: str = ""


def places_of(runs: Iterable[Run]) -> dict[UUID, Place]:
    """Return the place of each run that waits, by one query for all; none, no query."""
    waiting = [run.pk for run in runs if run.status == Status.QUEUED]
    if not waiting:
        return {}
    rows = _rows(
        "SELECT id, place, of_person, of_version FROM numbered WHERE id = ANY(%(runs)s)",
        runs=waiting,
    )
    return {pk: _place(*numbers) for pk, *numbers in rows}


def place_of(run: Run) -> Place | None:
    """Return the place of one run; None when it does not wait (any more)."""
    return places_of([run]).get(run.pk)


def turns(queue: str) -> list[UUID]:
    """Return the first runs of a queue that may start now, the next one first."""
    return _ids(_TURNS, queue=queue)


def next_after(run: Run) -> list[tuple[UUID, str]]:
    """Return id and queue of the runs that an ended one made room for.

    In each queue it is the next of the same person, and the next of the same version:
    whichever of them finds a free worker first.
    """
    return _rows(_NEXT_AFTER, person_id=run.requested_by_id, version_id=run.version_id)


def held_back() -> list[UUID]:
    """Return the runs that wait for the end of another of the same person or version."""
    return _ids("SELECT id FROM numbered WHERE held")


def _ids(query: str, **values: Any) -> list[UUID]:
    return [pk for (pk,) in _rows(query, **values)]


def _rows(query: str, **values: Any) -> list[tuple[Any, ...]]:
    limits = {
        "person": settings.RUNS_AT_ONCE_PER_PERSON,
        "version": settings.RUNS_AT_ONCE_PER_VERSION,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LINE + query, limits | values)
        return cursor.fetchall()


def _place(number: int, of_person: int, of_version: int) -> Place:
    if of_person >= settings.RUNS_AT_ONCE_PER_PERSON:
        return Place(number, "own_limit", _sentence("You have", of_person))
    limit = settings.RUNS_AT_ONCE_PER_VERSION
    if of_version >= limit:
        # The limit, not the count: how many others run it is nobody's to know.
        return Place(number, "version_limit", _sentence("This version has", limit))
    return Place(number)


def _sentence(who: str, count: int) -> str:
    going = "1 run going; this one starts when it ends."
    if count != 1:
        going = f"{count} runs going; this one starts when one of them ends."
    return f"{who} {going}"
