"""What a run asked the data source is known, however the run ended."""

import os
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as configured
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from runner import execution
from runner.kernelhost.client import ConnectionLost
from runner.models import Run, StatementBatch
from runner.results.expiry import expire_results
from runner.results.rotation import rotate_keys
from runner.results.statements import statements_of
from runner.results.vault import Tampered
from runner.services.sweeping import HEARTBEAT_TIMEOUT, end_lost_runs
from tests.runner.launching import approved, launch
from tests.runner.scripted_host import FINISHED, execute, statement

pytestmark = [pytest.mark.usefixtures("committed_db"), pytest.mark.security]


class WorkerKilled(BaseException):
    """Stands for a power cut: nothing after it runs in this process."""


@pytest.fixture
def run(adams: User) -> Run:
    return launch(approved("1", data_sources=[]), adams)


def texts(run: Run) -> list[str]:
    return [each["text"] for each in statements_of(run)]


ASKED = [statement(number)["text"] for number in range(3)]


def test_a_run_that_ends_well_keeps_them_in_its_result_alone(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = execute(run, monkeypatch, *map(statement, range(3)), FINISHED)
    assert run.status == "succeeded"
    assert texts(run) == ASKED
    assert not StatementBatch.objects.exists()


def test_they_outlive_a_kernel_host_that_vanishes(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = map(statement, range(3))
    run = execute(run, monkeypatch, *asked, ConnectionLost(), tick_s=60)
    assert run.error is not None
    assert run.error["code"] == "kernel_host_gone"
    assert texts(run) == ASKED


def test_they_outlive_outputs_that_cannot_be_rendered(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ValueError

    monkeypatch.setattr(execution, "render", broken)
    asked = map(statement, range(3))
    run = execute(run, monkeypatch, *asked, FINISHED, tick_s=60)
    assert run.error is not None
    assert run.error["code"] == "result_not_rendered"
    assert texts(run) == ASKED


def test_they_outlive_a_run_that_was_taken_away(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end() -> None:
        long_ago = timezone.now() - HEARTBEAT_TIMEOUT - timedelta(seconds=1)
        Run.objects.filter(pk=run.pk).update(heartbeat_at=long_ago)
        assert end_lost_runs(now=timezone.now()) == [run.pk]

    ended = execute(run, monkeypatch, *map(statement, range(2)), end, statement(2))
    assert ended.status == "lost"
    assert texts(ended) == ASKED


def test_what_came_before_the_last_second_outlives_a_killed_worker(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any) -> None:
        raise WorkerKilled

    def power_cut() -> None:
        monkeypatch.setattr(execution, "_keep", die)
        raise WorkerKilled

    with pytest.raises(WorkerKilled):
        execute(run, monkeypatch, *map(statement, range(3)), power_cut)
    assert texts(run) == ASKED


def test_they_are_sealed_and_bound_to_their_run_and_place(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(run, monkeypatch, *map(statement, range(3)), ConnectionLost())
    first, second, *_ = StatementBatch.objects.all()
    assert b"CANARY" not in bytes(first.sealed)
    first.sealed, second.sealed = second.sealed, first.sealed
    for each in (first, second):
        each.save()
    with pytest.raises(Tampered):
        statements_of(run)


def test_they_move_to_a_new_key(
    run: Run, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    run = execute(run, monkeypatch, *map(statement, range(3)), ConnectionLost())
    new = os.urandom(32)
    settings.RESULT_KEYS = [new, *configured.RESULT_KEYS]
    assert rotate_keys(now=timezone.now()) == 3
    settings.RESULT_KEYS = [new]
    assert texts(run) == ASKED


def test_they_expire_as_results_do(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run = execute(run, monkeypatch, *map(statement, range(3)), ConnectionLost())
    over = timezone.now() + timedelta(days=configured.RESULT_RETENTION_DAYS)
    expire_results(now=over - timedelta(minutes=5))
    assert texts(run) == ASKED
    expire_results(now=over + timedelta(minutes=5))
    assert texts(run) == []
    expired = Event.objects.filter(action="result.expired", target_id=str(run.pk))
    assert expired.count() == 1
