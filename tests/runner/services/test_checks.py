"""What the check of a data source leaves, and what that stops."""

import psycopg
import pytest
from django.utils import timezone

from accounts.models import User
from accounts.policies import NotAllowed
from audit.models import Event
from runner import sweep
from runner.access.check import Problem
from runner.models import DataSourceCheck, RunKind
from runner.services.checks import note_check
from tests.runner.launching import approved, launch
from tests.support.data import DataCluster

BROKEN = Problem(code="rls_off", message="It is off.", remedy="Switch it on.")
WARNED = Problem(code="stats", message="…", remedy="…", severity="warning")


def note(*problems: Problem) -> DataSourceCheck:
    return note_check(
        source="hospital", kind=RunKind.RUN, problems=problems, now=timezone.now()
    )


def verdicts() -> list[str]:
    events = Event.objects.filter(action__startswith="data_source.").order_by("seq")
    return list(events.values_list("action", flat=True))


@pytest.mark.django_db
def test_a_warning_stops_nothing() -> None:
    assert note(WARNED).problems == []


@pytest.mark.django_db
def test_a_change_of_the_verdict_is_an_event_and_a_repetition_is_none() -> None:
    for problems in ([], [], [BROKEN], [BROKEN], []):
        note(*problems)
    assert verdicts() == [
        "data_source.passed",
        "data_source.failed",
        "data_source.passed",
    ]


@pytest.mark.security
def test_a_table_left_open_stops_launches_until_it_is_closed(
    committed_db: None, data_cluster: DataCluster, adams: User
) -> None:
    version = approved("1")
    with psycopg.connect(data_cluster.hospital_owner_dsn, autocommit=True) as owner:
        owner.execute("ALTER TABLE clinic.patients NO FORCE ROW LEVEL SECURITY")
        try:
            sweep.sweep_data_sources(now=timezone.now())
            with pytest.raises(NotAllowed) as refused:
                launch(version, adams)
        finally:
            owner.execute("ALTER TABLE clinic.patients FORCE ROW LEVEL SECURITY")
    assert [blocker.code for blocker in refused.value.blockers] == [
        "data_source_unsafe"
    ]
    sweep.sweep_data_sources(now=timezone.now())
    assert launch(version, adams).status == "queued"
