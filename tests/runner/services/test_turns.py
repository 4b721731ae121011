"""Turns: limits that no race exceeds, handed on when a run ends, fair among people."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connections
from django.utils import timezone

from accounts.models import User
from gallery.models import Version
from runner.models import Run
from runner.services import cancel_run, lifecycle
from runner.services.lifecycle import claim_run, start_run
from runner.services.sweeping import (
    HEARTBEAT_TIMEOUT,
    QUEUE_PATIENCE,
    end_lost_runs,
    reenqueue_waiting_runs,
)
from runner.workflow import Queue, Status
from tests.factories.runs import finish, make_run
from tests.runner.launching import approved, launch

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture(autouse=True)
def limits(settings: Any) -> Any:
    settings.RUNS_PER_PERSON = 100
    settings.RUNS_AT_ONCE_PER_PERSON = 1
    settings.RUNS_AT_ONCE_PER_VERSION = 100
    return settings


@pytest.fixture
def broker() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(django_settings.BROKER_URL) as client:
        yield client


@pytest.fixture
def version() -> Version:
    return approved("1", data_sources=[])


def claim(run: Run) -> Run | None:
    return claim_run(run_id=run.pk, now=timezone.now())


def start(run: Run) -> Run:
    claimed = claim(run)
    assert claimed is not None
    start_run(run=claimed, evidence={}, now=timezone.now())
    return claimed


def under_way() -> int:
    return Run.objects.exclude(status=Status.QUEUED).filter(finished_at=None).count()


def messages(broker: redis.Redis) -> int:
    return sum(broker.llen(queue) for queue in Queue.values)


def test_a_run_over_the_persons_limit_stays_queued(
    version: Version, adams: User
) -> None:
    first, second = launch(version, adams), launch(version, adams)
    assert claim(first) == first
    assert claim(second) is None
    second.refresh_from_db()
    assert (second.status, second.claimed_at) == ("queued", None)


def test_a_run_over_the_versions_limit_stays_queued(
    version: Version, adams: User, baker: User, limits: Any
) -> None:
    limits.RUNS_AT_ONCE_PER_VERSION = 1
    first, second = launch(version, adams), launch(version, baker)
    assert claim(first) == first
    assert claim(second) is None
    other = launch(approved("2", data_sources=[]), baker)
    assert claim(other) == other


def test_a_preview_counts_like_a_run(version: Version, adams: User) -> None:
    make_run(version, adams, Status.RUNNING, kind="preview")
    assert claim(launch(version, adams)) is None


@pytest.mark.parametrize("limited", ["PERSON", "VERSION"])
def test_workers_that_claim_at_once_cannot_exceed_a_limit(
    limited: str,
    adams: User,
    baker: User,
    lena: User,
    limits: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits.RUNS_AT_ONCE_PER_PERSON = limits.RUNS_AT_ONCE_PER_VERSION = 100
    setattr(limits, f"RUNS_AT_ONCE_PER_{limited}", 2)
    if limited == "PERSON":
        # Of many notebooks, since claims of one version wait for each other anyway.
        waiting = [launch(approved(f"{n}", data_sources=[]), adams) for n in range(6)]
    else:
        one = approved("1", data_sources=[])
        waiting = [launch(one, by) for by in (adams, baker, lena) for _ in range(2)]
    move = lifecycle.move

    def slow_move(*args: Any, **data: Any) -> None:
        time.sleep(0.3)  # all have counted by then, unless one waits for the other
        move(*args, **data)

    monkeypatch.setattr(lifecycle, "move", slow_move)
    together = threading.Barrier(len(waiting))
    claimed: list[Run | None] = []

    def take(run: Run) -> None:
        together.wait()
        try:
            claimed.append(claim(run))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=take, args=[run]) for run in waiting]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == 6
    assert sum(run is not None for run in claimed) == under_way() == 2


def test_fifty_runs_of_one_person_do_not_keep_another_waiting(
    version: Version, adams: User, baker: User, limits: Any
) -> None:
    limits.RUNS_AT_ONCE_PER_PERSON = 40
    flood = [make_run(version, adams) for _ in range(50)]
    late = launch(version, baker)
    order = [claim(message) for message in flood[:3]]  # first in, first out
    assert order == [flood[0], late, flood[1]]


def test_a_turn_of_a_page_is_never_taken_by_another_queue(
    version: Version, adams: User, baker: User
) -> None:
    batch = make_run(version, adams, queue=Queue.BATCH)
    page = make_run(version, baker, queue=Queue.PAGE)
    assert claim(page) == page
    assert claim(batch) == batch


@pytest.mark.parametrize("end", [Status.SUCCEEDED, Status.CANCELLED, Status.TIMED_OUT])
def test_an_end_sends_for_the_next_at_once(
    version: Version, adams: User, broker: redis.Redis, end: str
) -> None:
    first, second = launch(version, adams), launch(version, adams)
    third = launch(version, adams)
    running = start(first)
    assert claim(second) is None
    broker.delete("batch")
    finish(running, end, now=timezone.now())
    assert broker.llen("batch") == 1  # one place, one message
    assert claim(third) == second


def test_a_lost_run_hands_its_place_on(
    version: Version, adams: User, broker: redis.Redis
) -> None:
    first, second = launch(version, adams), launch(version, adams)
    claim(first)
    claim(second)
    broker.delete("batch")
    later = timezone.now() + HEARTBEAT_TIMEOUT + timedelta(seconds=1)
    assert end_lost_runs(now=later) == [first.pk]
    assert broker.llen("batch") == 1
    assert claim(second) == second


def test_a_run_that_may_not_start_any_more_hands_its_turn_on(
    version: Version, adams: User, broker: redis.Redis
) -> None:
    launch(version, adams)
    ended = launch(approved("2", data_sources=[]), adams)
    last = launch(version, adams)
    running = start(last)
    Version.objects.filter(pk=ended.version_id).update(status="superseded")
    finish(running, Status.SUCCEEDED, now=timezone.now())
    broker.delete("batch")
    assert claim(last) is None
    ended.refresh_from_db()
    assert ended.status == "cancelled"
    assert broker.llen("batch") == 1
    assert claim(last) == last


def test_an_end_makes_room_for_its_person_and_for_its_version(
    version: Version,
    adams: User,
    baker: User,
    limits: Any,
    broker: redis.Redis,
) -> None:
    limits.RUNS_AT_ONCE_PER_VERSION = 1
    running = start(launch(version, adams))
    make_run(approved("2", data_sources=[]), adams, queue=Queue.API)
    make_run(version, baker, queue=Queue.PAGE)
    for queue in Queue.values:
        broker.delete(queue)
    finish(running, Status.SUCCEEDED, now=timezone.now())
    assert {queue: broker.llen(queue) for queue in Queue.values} == {
        "page": 1,
        "api": 1,
        "batch": 0,
        "interactive": 0,
    }


def test_a_cancelled_run_leaves_the_line(version: Version, adams: User) -> None:
    first, second = launch(version, adams), launch(version, adams)
    cancel_run(run=first, by=adams, now=timezone.now())
    assert claim(first) == second


def test_the_sweep_finds_a_forgotten_turn_and_leaves_those_who_are_held_back(
    version: Version, adams: User, broker: redis.Redis
) -> None:
    first, second = launch(version, adams), launch(version, adams)
    running = start(first)
    later = timezone.now() + QUEUE_PATIENCE + timedelta(seconds=1)
    broker.delete("batch")
    assert reenqueue_waiting_runs(now=later) == []
    finish(running, Status.SUCCEEDED, now=timezone.now())
    broker.delete("batch")  # the message is lost
    assert reenqueue_waiting_runs(now=later) == [second.pk]
    assert messages(broker) == 1
