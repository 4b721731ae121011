"""A broker that takes connections and says nothing holds nobody up."""

import socket
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery

from accounts.models import User
from runner import dispatch, progress, stream
from runner.dispatch import enqueue_run
from runner.progress import CHANGED, PAUSE_S, Signals
from runner.watching import ended
from tests.runner.launching import approved, launch
from tests.runner.scripted_host import FINISHED, execute


@pytest.fixture
def black_hole() -> Iterator[str]:
    """A broker as a stopped process leaves it: the kernel accepts, nobody answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"redis://:secret@127.0.0.1:{server.getsockname()[1]}/0"


def seconds(act: Any) -> float:
    begun = time.monotonic()
    act()
    return time.monotonic() - begun


def test_a_signal_is_given_up_and_logged(
    black_hole: str, caplog: pytest.LogCaptureFixture
) -> None:
    signals = Signals(black_hole)
    assert seconds(lambda: signals.send(uuid.uuid4(), CHANGED)) < PAUSE_S
    assert "signal.not_sent" in caplog.text
    assert "secret" not in caplog.text


def test_after_that_none_is_tried_for_a_while(black_hole: str) -> None:
    signals = Signals(black_hole)
    signals.send(uuid.uuid4(), CHANGED)
    assert (
        seconds(lambda: [signals.send(uuid.uuid4(), CHANGED) for _ in range(100)]) < 0.5
    )
    signals.quiet_until = 0.0
    assert seconds(lambda: signals.send(uuid.uuid4(), CHANGED)) > 0.5


def stalled_app(url: str) -> Celery:
    app = Celery("stalled", set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.conf.broker_url = url
    return app


def test_a_message_that_is_not_taken_is_logged(
    black_hole: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = stalled_app(black_hole)
    assert seconds(lambda: enqueue_run(uuid.uuid4(), queue="page", app=app)) < 10
    assert "run.not_enqueued" in caplog.text


@pytest.mark.usefixtures("committed_db")
def test_a_launch_is_recorded_and_the_run_supervised_all_the_same(
    black_hole: str, adams: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_signals", Signals(black_hole))
    monkeypatch.setattr(dispatch, "celery_app", stalled_app(black_hole))
    version = approved("1", data_sources=[])
    begun = time.monotonic()
    run = launch(version, adams)
    assert time.monotonic() - begun < 15
    cells = [{"event": "cell_started", "cell": 0} for _ in range(30)]
    begun = time.monotonic()
    run = execute(run, monkeypatch, *cells, FINISHED)
    assert run.status == "succeeded"
    assert time.monotonic() - begun < 20


async def test_waiting_goes_on_by_the_database(
    black_hole: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BROKER_URL = black_hole
    monkeypatch.setattr("runner.watching._and_let_go", lambda _: False)
    begun = time.monotonic()
    assert not await ended(uuid.uuid4(), within_s=1)
    assert time.monotonic() - begun < 10


async def test_a_page_is_told_what_the_database_knows(
    black_hole: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BROKER_URL = black_hole
    monkeypatch.setattr(stream, "LOOK_EVERY_S", 0.1)
    states = iter([("running", 0), ("running", 1), ("succeeded", 1)])
    monkeypatch.setattr(stream, "_state", lambda _: next(states))
    begun = time.monotonic()
    told = [event async for event in stream.changes(uuid.uuid4())]
    assert told[-1].startswith(b"event: finished")
    assert time.monotonic() - begun < 10
