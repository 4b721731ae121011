"""The state of the service: what operators see of parts, kernels, queue and runs."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.test import Client
from django.utils import timezone

from config import health
from config.health import Part
from runner.models import Run, RunKind
from runner.operations import Load, Spread, load
from runner.services.heartbeats import KEY
from runner.workflow import Status
from tests.api import BACKEND
from tests.factories.gallery import make_version
from tests.factories.runs import make_run

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(microsecond=0)
LAYERS = {
    "seccomp": {"holds": True, "seen": "2"},
    "cgroup": {"holds": False, "seen": "absent"},
}
POOL = [
    {
        "environment": "python-analytics",
        "kernel_name": "python3",
        "size": 2,
        "ready": 1,
        "launcher": "fork",
        "layers": {"landlock": {"holds": True, "seen": "version 7"}},
    }
]


@pytest.fixture(autouse=True)
def parts(monkeypatch: pytest.MonkeyPatch) -> dict[str, Part]:
    told = {"database": Part(True), "data_source:hospital": Part(True)}
    monkeypatch.setattr(health, "_remembered", health._Remembered(lambda: told))
    return told


@pytest.fixture
def word(settings: Any) -> Iterator[dict[str, Any]]:
    """What the last sweep left of the kernel host."""
    told = {
        "swept_at": "2026-03-02T09:00:00Z",
        "queues": ["api", "batch", "page", "sweep"],
        "kernel_host": "ready",
        "degraded": False,
        "layers": LAYERS,
        "pool": POOL,
        "active": 3,
    }
    with redis.Redis.from_url(settings.BROKER_URL) as broker:
        broker.set(KEY, json.dumps(told), ex=30)
        yield told
        broker.delete(KEY)


@pytest.fixture
def run(adams: Any) -> Any:
    """Make a run that was asked for, began and ended so many seconds ago."""
    version = make_version()

    def make(status: str, queued: float, started: float | None, ended: float | None):
        def moved(to: str, **at: float) -> None:
            moments = {name: NOW - timedelta(seconds=ago) for name, ago in at.items()}
            Run.objects.filter(pk=made.pk).update(status=to, **moments)

        asked_at = NOW - timedelta(seconds=queued)
        made = make_run(version, adams, kind=RunKind.PREVIEW, now=asked_at)
        if status != Status.QUEUED:
            moved(Status.STARTING, claimed_at=queued, heartbeat_at=queued)
        if started is not None:
            moved(Status.RUNNING, started_at=started)
        if ended is not None:
            moved(status, finished_at=ended)
        return made

    return make


def the_load() -> Load:
    return load(since=NOW - timedelta(hours=24), now=NOW)


def test_without_runs_there_is_nothing_to_tell():
    nothing = Spread(None, None)
    told = the_load()
    assert (told.queued, told.under_way, told.longest_wait_ms) == (0, 0, None)
    assert (told.ended, told.start, told.run) == ({}, nothing, nothing)


def test_the_queue_and_what_is_under_way_are_counted(run):
    run(Status.QUEUED, 5, None, None)
    run(Status.QUEUED, 90, None, None)
    run(Status.STARTING, 7, None, None)
    run(Status.RUNNING, 100, 99, None)
    told = the_load()
    assert (told.queued, told.under_way, told.longest_wait_ms) == (2, 2, 90_000)
    assert told.ended == {}


def test_ends_are_counted_by_status_and_only_of_the_last_day(run):
    run(Status.SUCCEEDED, 60, 59, 50)
    run(Status.SUCCEEDED, 60, 59, 50)
    run(Status.OUT_OF_MEMORY, 60, 59, 50)
    run(Status.LOST, 200_000, 199_999, 100_000)
    assert the_load().ended == {Status.SUCCEEDED: 2, Status.OUT_OF_MEMORY: 1}


def test_starts_and_runs_are_told_as_median_and_19_of_20(run):
    for waited, took in ((1, 10), (2, 20), (3, 30)):
        run(Status.SUCCEEDED, 100, 100 - waited, 100 - waited - took)
    run(Status.CANCELLED, 50, None, 40)  # never began
    told = the_load()
    assert told.start == Spread(2000, 2900)
    assert told.run == Spread(20_000, 29_000)


def page(client: Client, person: Any) -> str:
    client.force_login(person, backend=BACKEND)
    answer = client.get("/status/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_operator_sees_parts_layers_pool_and_runs(client, otto, word, run):
    run(Status.TIMED_OUT, 60, 59, 50)
    text = page(client, otto)
    assert "Every part is ready." in text
    assert "Data source hospital" in text
    assert "fork of a warm template" in text
    assert "1 of 2" in text
    assert "System calls" in text
    assert "Control group" in text
    assert "Ran out of time" in text
    assert text.count('aria-label="missing:"') + text.count("missing:") >= 1
    assert "degraded" not in text


def test_a_layer_that_not_every_machine_has_is_shown_by_the_way_kernels_start(
    client, otto, word, settings
):
    text = page(client, otto)
    assert "</svg> Landlock</span>" in text
    assert "no Landlock" not in text
    none = {"landlock": {"holds": False, "seen": "not in force"}}
    with redis.Redis.from_url(settings.BROKER_URL) as broker:
        started = [{**POOL[0], "launcher": "exec", "layers": none}]
        broker.set(KEY, json.dumps({**word, "pool": started}), ex=30)
    text = page(client, otto)
    assert "no Landlock: not in force" in text
    assert "layers of confinement missing" not in text


def test_a_kernel_host_that_knows_no_further_layer_is_shown_all_the_same(
    client, otto, word, settings
):
    older = {name: value for name, value in POOL[0].items() if name != "layers"}
    with redis.Redis.from_url(settings.BROKER_URL) as broker:
        broker.set(KEY, json.dumps({**word, "pool": [older]}), ex=30)
    assert "fork of a warm template" in page(client, otto)
    told = client.get("/api/v1/status/").json()
    assert told["kernel_host"]["pool"] == [{**older, "layers": {}}]


def test_what_is_not_ready_is_said_first(client, otto, word, parts):
    parts["data_source:hospital"] = Part(False, "does not let Countersign in")
    text = page(client, otto)
    assert "Not everything is ready." in text
    assert "Data source hospital: does not let Countersign in" in text


def test_a_kernel_host_that_nobody_saw_is_an_empty_state(client, otto, settings):
    with redis.Redis.from_url(settings.BROKER_URL) as broker:
        broker.delete(KEY)
    assert "Nothing was seen of it" in page(client, otto)


def test_a_degraded_kernel_host_is_bannered(client, otto, word, settings):
    with redis.Redis.from_url(settings.BROKER_URL) as broker:
        broker.set(KEY, json.dumps({**word, "degraded": True}), ex=30)
    assert "layers of confinement missing" in page(client, otto)


def test_a_queue_that_does_not_answer_takes_the_page_not_away(client, otto, settings):
    settings.BROKER_URL = "redis://127.0.0.1:1/0"
    assert "Nothing was seen of it" in page(client, otto)


def test_a_script_gets_the_same(client, iris, word, run):
    run(Status.SUCCEEDED, 60, 59, 50)
    client.force_login(iris, backend=BACKEND)
    told = client.get("/api/v1/status/").json()
    assert told["is_ready"] is True
    assert told["parts"]["database"] == {"ready": True, "detail": ""}
    assert told["kernel_host"]["state"] == "ready"
    assert told["kernel_host"]["layers"] == LAYERS
    assert told["kernel_host"]["pool"] == POOL
    assert told["runs"]["ended"] == {"succeeded": 1}
    assert told["runs"]["start"] == {"median_ms": 1000, "p95_ms": 1000}


def test_nobody_else_sees_it_or_the_way_to_it(client, adams, otto, word):
    client.force_login(adams, backend=BACKEND)
    answer = client.get("/status/")
    assert answer.status_code == 403
    assert "None of your roles lets you see the state of the service." in (
        answer.content.decode()
    )
    assert "/status/" not in client.get("/").content.decode()
    assert "/status/" in page(client, otto)
