"""/healthz and /readyz: each part named, nothing secret told."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db import connection
from django.test import Client
from django.utils import timezone

from config import health
from config.celery import app
from runner.services import heartbeats
from runner.services.heartbeats import (
    KEY,
    LIFETIME_S,
    PartsAlive,
    note_parts_alive,
    parts_alive,
    watch_parts,
)
from tests.factories.gallery import NOW

PARTS = {
    "database",
    "queue",
    "workers",
    "beat",
    "kernel_host",
    "data_source:hospital",
    "notional_data_source:hospital",
}


@pytest.fixture(autouse=True)
def ask_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_remembered", health._Remembered(health.all_parts))


@pytest.fixture
def broker(db: None, settings: Any) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.BROKER_URL) as client:
        client.delete(KEY)
        yield client
        client.delete(KEY)


def leave_word(broker: redis.Redis, **told: Any) -> None:
    word = {
        "swept_at": "2026-03-02T09:00:00Z",
        "queues": ["api", "batch", "interactive", "page", "sweep"],
        "kernel_host": "ready",
        "degraded": False,
    }
    broker.set(KEY, json.dumps(word | told), ex=5)


def parts_of(client: Client) -> dict[str, dict[str, Any]]:
    parts: dict[str, dict[str, Any]] = client.get("/readyz").json()["parts"]
    return parts


def unready(client: Client) -> set[str]:
    return {name for name, part in parts_of(client).items() if not part["ready"]}


def test_the_process_says_that_it_is_alive_to_anybody(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("data_cluster")
def test_everything_is_ready_when_every_part_is(
    client: Client, broker: redis.Redis
) -> None:
    leave_word(broker)
    answer = client.get("/readyz")
    assert answer.json()["status"] == "ready"
    assert answer.status_code == 200
    assert set(answer.json()["parts"]) == PARTS
    assert unready(client) == set()


@pytest.mark.usefixtures("data_cluster")
@pytest.mark.parametrize(
    ("told", "missing"),
    [
        ({"queues": ["sweep"]}, {"workers"}),
        ({"queues": ["api", "batch", "sweep"]}, {"workers"}),
        ({"queues": []}, {"workers"}),
        ({"kernel_host": "does not answer"}, {"kernel_host"}),
        ({"swept_at": ""}, {"beat"}),
    ],
)
def test_a_part_that_is_missing_is_named(
    told: dict[str, Any], missing: set[str], client: Client, broker: redis.Redis
) -> None:
    leave_word(broker, **told)
    assert client.get("/readyz").status_code == 503
    assert unready(client) == missing


def test_without_a_sweep_nothing_behind_the_queue_counts(
    client: Client, broker: redis.Redis
) -> None:
    assert {"workers", "beat", "kernel_host"} <= unready(client)


@pytest.mark.usefixtures("data_cluster")
def test_a_degraded_kernel_host_is_ready_and_says_so(
    client: Client, broker: redis.Redis
) -> None:
    leave_word(broker, degraded=True)
    told = parts_of(client)["kernel_host"]
    assert told["ready"] is True
    assert "degraded" in told["detail"]


@pytest.mark.usefixtures("db")
def test_a_broker_that_does_not_answer_is_named(client: Client, settings: Any) -> None:
    settings.BROKER_URL = "redis://:wrong@127.0.0.1:1/0"
    assert {"queue", "workers", "beat", "kernel_host"} <= unready(client)


def test_a_data_source_that_lets_nobody_in_is_named(
    client: Client, broker: redis.Redis
) -> None:
    assert health._data_source("").ready is False
    refused = health._data_source("postgresql://x:secret@127.0.0.1:1/hospital")
    assert refused.ready is False
    assert "secret" not in refused.detail


def test_a_missing_migration_is_not_ready(client: Client, broker: redis.Redis) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'runner'")
    told = parts_of(client)["database"]
    assert told["ready"] is False
    assert "migrate" in told["detail"]


def test_no_secret_is_told(client: Client, broker: redis.Redis, settings: Any) -> None:
    body = client.get("/readyz").content.decode()
    source = settings.DATA_SOURCES["hospital"]
    secrets = [
        settings.SECRET_KEY,
        settings.BROKER_URL,
        settings.DATABASES["default"]["PASSWORD"],
        source.real.ticket,
        source.notional.ticket,
    ]
    assert not [secret for secret in secrets if str(secret) in body]


def test_many_who_ask_at_once_share_one_answer() -> None:
    asked = []

    def ask() -> dict[str, health.Part]:
        asked.append(threading.get_ident())
        return {"database": health.Part(True)}

    remembered = health._Remembered(ask)
    threads = [threading.Thread(target=remembered.parts) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("ready", "stays_s"),
    [(True, health.REMEMBER_S), (False, health.REMEMBER_MISSING_S)],
)
def test_who_waits_for_a_part_is_told_soon_that_it_came(
    ready: bool, stays_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def ask() -> dict[str, health.Part]:
        asked.append(now[0])
        return {"database": health.Part(True), "workers": health.Part(ready)}

    now = [100.0]
    monkeypatch.setattr(health.time, "monotonic", lambda: now[0])
    remembered = health._Remembered(ask)
    for later in (0.0, stays_s - 0.01, stays_s):
        now[0] = 100.0 + later
        remembered.parts()
    assert asked == [100.0, 100.0 + stays_s]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_write_is_refused(path: str, client: Client) -> None:
    assert client.post(path).status_code == 405


@contextlib.contextmanager
def kernel_host_that_answers(path: Path, answer: dict[str, Any]) -> Iterator[None]:
    """Listen on the socket as the kernel host does, for one `status`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            connected, _ = listener.accept()
            with connected:
                connected.recv(1000)
                connected.sendall(json.dumps(answer).encode() + b"\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        thread.join(timeout=5)


@pytest.mark.parametrize(
    ("answer", "state", "degraded"),
    [
        ({"ok": True, "degraded": False}, "ready", False),
        ({"ok": True, "degraded": True, "active": 3}, "ready", True),
        ({"ok": False}, "refuses work: its self-test failed", False),
    ],
)
def test_the_sweep_leaves_word_of_the_kernel_host(
    answer: dict[str, Any],
    state: str,
    degraded: bool,
    broker: redis.Redis,
    settings: Any,
    tmp_path: Path,
) -> None:
    settings.KERNEL_HOST_SOCKET = str(tmp_path / "k.sock")
    with kernel_host_that_answers(tmp_path / "k.sock", answer):
        note_parts_alive(now=NOW)
    told = parts_alive()
    assert (told.kernel_host, told.degraded) == (state, degraded)
    assert told.active == answer.get("active", 0)
    assert told.swept_at == "2026-03-02T09:00:00.000000Z"
    assert 0 < broker.ttl(KEY) <= LIFETIME_S


def test_a_kernel_host_that_is_away_is_told(
    broker: redis.Redis, settings: Any, tmp_path: Path
) -> None:
    settings.KERNEL_HOST_SOCKET = str(tmp_path / "nobody.sock")
    note_parts_alive(now=NOW)
    assert parts_alive().kernel_host == "does not answer"
    assert parts_alive().queues == []


EVERY_QUEUE = ["api", "batch", "interactive", "page", "sweep"]


@pytest.mark.parametrize(
    ("seen", "looks"),
    [
        ([EVERY_QUEUE], 1),
        ([["sweep"], ["page", "sweep"], EVERY_QUEUE], 3),
        ([["sweep"]] * 9, heartbeats.LOOKS),
    ],
    ids=["all are there", "two come late", "one never comes"],
)
def test_a_part_that_comes_late_is_seen_by_the_same_sweep(
    seen: list[list[str]],
    looks: int,
    broker: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left = iter(seen)
    monkeypatch.setattr(heartbeats, "_served_queues", lambda app: next(left))
    monkeypatch.setattr(heartbeats, "_kernel_host", lambda: {"kernel_host": "ready"})
    watch_parts(clock=lambda: NOW)
    assert len(list(left)) == len(seen) - looks
    assert parts_alive().queues == seen[looks - 1]


def test_a_kernel_host_that_comes_late_is_seen_by_the_same_sweep(
    broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = iter(["does not answer", "ready"])
    monkeypatch.setattr(heartbeats, "_served_queues", lambda app: EVERY_QUEUE)
    monkeypatch.setattr(
        heartbeats, "_kernel_host", lambda: {"kernel_host": next(states)}
    )
    watch_parts(clock=lambda: NOW)
    assert parts_alive().kernel_host_is_ready


def test_no_word_is_no_sign_of_life(broker: redis.Redis) -> None:
    assert parts_alive() == PartsAlive()


def test_a_running_worker_is_seen_with_its_queues(celery_worker: Any) -> None:
    seen = note_parts_alive(now=timezone.now(), app=app)
    assert seen.queues == ["api", "batch", "interactive", "page", "sweep"]
