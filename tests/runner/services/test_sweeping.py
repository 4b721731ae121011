"""Runs that nobody took, and runs whose worker is gone."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from runner.models import Run
from runner.services.lifecycle import claim_run, start_run
from runner.services.sweeping import (
    HEARTBEAT_TIMEOUT,
    QUEUE_PATIENCE,
    end_lost_runs,
    live_run_ids,
    reenqueue_waiting_runs,
)
from tests.runner.launching import approved, launch

pytestmark = pytest.mark.usefixtures("committed_db", "data_cluster")

MOMENT = timedelta(seconds=1)


@pytest.fixture
def broker() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.BROKER_URL) as client:
        yield client


@pytest.fixture
def run(adams: User) -> Run:
    return launch(approved("1"), adams)


def test_a_forgotten_message_is_sent_again(run: Run, broker: redis.Redis) -> None:
    broker.delete("batch")
    later = run.enqueued_at + QUEUE_PATIENCE + MOMENT
    assert reenqueue_waiting_runs(now=later) == [run.pk]
    assert broker.llen("batch") == 1


def test_a_message_is_not_sent_again_at_once(run: Run, broker: redis.Redis) -> None:
    later = run.enqueued_at + QUEUE_PATIENCE + MOMENT
    reenqueue_waiting_runs(now=later)
    assert reenqueue_waiting_runs(now=later + MOMENT) == []
    assert reenqueue_waiting_runs(now=run.enqueued_at + MOMENT) == []


def test_a_queued_run_is_never_lost(run: Run) -> None:
    assert end_lost_runs(now=timezone.now() + timedelta(days=1)) == []


def test_a_run_without_a_heartbeat_is_lost(run: Run) -> None:
    now = timezone.now()
    claim_run(run_id=run.pk, now=now)
    assert end_lost_runs(now=now + HEARTBEAT_TIMEOUT) == []
    assert end_lost_runs(now=now + HEARTBEAT_TIMEOUT + MOMENT) == [run.pk]
    run.refresh_from_db()
    assert (run.status, run.error["code"]) == ("lost", "worker_lost")
    assert Event.objects.filter(action="run.lost", target_id=str(run.pk)).exists()
    assert run.pk not in live_run_ids()


def test_a_running_run_is_lost_too(run: Run) -> None:
    now = timezone.now()
    claimed = claim_run(run_id=run.pk, now=now)
    start_run(run=claimed, evidence={}, now=now)
    assert end_lost_runs(now=now + HEARTBEAT_TIMEOUT + MOMENT) == [run.pk]


def test_a_run_is_lost_once(run: Run) -> None:
    now = timezone.now()
    claim_run(run_id=run.pk, now=now)
    later = now + HEARTBEAT_TIMEOUT + MOMENT
    assert end_lost_runs(now=later) == [run.pk]
    assert end_lost_runs(now=later) == []
