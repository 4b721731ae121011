"""The periodic sweep: what no single run can clean up after itself."""

import logging
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from accounts.models import PersonaAssignment
from runner.access.errors import AccessError
from runner.access.identities import PersonAssignment, sync_identities
from runner.access.kinds.known import kind_of
from runner.access.sources import DataSourceSettings, Dsns
from runner.models import RunKind
from runner.results.expiry import expire_results
from runner.services.checks import note_check
from runner.services.live_outputs import forget_leftover_outputs
from runner.services.sweeping import (
    end_lost_runs,
    live_run_ids,
    reenqueue_waiting_runs,
)

logger = logging.getLogger(__name__)


def sweep_runs(*, now: datetime) -> None:
    """End lost runs, send forgotten messages again, take orphan logins away."""
    for run_id in end_lost_runs(now=now):
        logger.warning("run.lost run_id=%s", run_id)
    for run_id in reenqueue_waiting_runs(now=now):
        logger.info("run.enqueued_again run_id=%s", run_id)
    if leftover := forget_leftover_outputs():
        logger.warning("run.live_outputs_left rows=%s", leftover)
    for source in settings.DATA_SOURCES.values():
        for dsns in (source.real, source.notional):
            _reap(source, dsns)


def _reap(source: DataSourceSettings, dsns: Dsns) -> None:
    """Take orphan logins away; one source that is down must not stop the others.

    Which runs are live is asked anew, since the source before may have kept us long.
    """
    try:
        for role in kind_of(source).reap(dsns, live_run_ids=live_run_ids()):
            logger.warning("lease.reaped source=%s role=%s", source.name, role)
    except AccessError as error:
        logger.error("lease.reap_failed source=%s code=%s", source.name, error.code)


def sweep_identities(*, sources: Iterable[DataSourceSettings]) -> None:
    """Fill every data source's table of people and personas from ours.

    Deactivated people are left out, so that the data source refuses them too; a
    notional twin knows its invented people and nobody else.
    """
    people = [
        PersonAssignment(
            username=row.person.username, persona=row.persona, department=row.department
        )
        for row in PersonaAssignment.objects.filter(
            person__is_active=True
        ).select_related("person")
    ]
    invented = [
        PersonAssignment(
            username=person.username, persona=persona, department=person.department
        )
        for persona, person in settings.NOTIONAL_PEOPLE.items()
    ]
    for source in sources:
        _sync(source.name, source.real, people)
        _sync(source.name, source.notional, invented)


def _sync(name: str, dsns: Dsns, people: list[PersonAssignment]) -> None:
    try:
        sync_identities(dsns, people)
    except AccessError as error:
        logger.error("identities.sync_failed source=%s code=%s", name, error.code)


def sweep_data_sources(*, now: datetime) -> None:
    """Check every data source and its twin, and keep what was found."""
    for source in settings.DATA_SOURCES.values():
        for kind in RunKind:
            _check(source, kind, now=now)


def _check(source: DataSourceSettings, kind: RunKind, *, now: datetime) -> None:
    try:
        problems = kind_of(source).check(source.for_kind(kind))
    except AccessError as error:
        logger.error(
            "data_source.check_failed source=%s code=%s", source.name, error.code
        )
        return
    note_check(source=source.name, kind=kind, problems=problems, now=now)


def sweep_expired(*, now: datetime) -> None:
    """Erase results whose time is over."""
    expire_results(now=now)
