"""A visit ends cleanly whatever breaks: no task is left, and no secret is told."""

import asyncio
import logging
import os
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.db import OperationalError

from runner.live.frames import SUBPROTOCOL, encode
from runner.sessions import socket, visit, wire
from runner.sessions.pace import BYTES_AT_ONCE, BYTES_PER_S, Bucket
from runner.sessions.socket import live_socket
from runner.sessions.streams import Said, in_key
from runner.sessions.tokens import make_channel
from tests.runner.live.messages import custom, opened
from tests.runner.sessions import pages

pytestmark = pytest.mark.security
GONE = {"type": "websocket.disconnect", "code": 1001}


class Server:
    """The web server's side of one WebSocket."""

    def __init__(self, channel) -> None:
        self.path = pages.path_of(make_channel(channel), channel.run_id)
        self.sent: list[dict[str, Any]] = []
        self.given: asyncio.Queue = asyncio.Queue()
        self.given.put_nowait({"type": "websocket.connect"})

    async def send(self, message) -> None:
        self.sent.append(message)

    async def serve(self) -> None:
        host = django_settings.CONTENT_ORIGIN.removeprefix("http://").encode()
        scope = {
            "type": "websocket",
            "raw_path": self.path.encode(),
            "headers": [(b"host", host), (b"origin", b"null")],
            "subprotocols": [SUBPROTOCOL],
        }
        await live_socket(scope, self.given.get, self.send)

    def ended_with(self) -> Any:
        """The close code after the visit; checks that nothing of it is left."""
        asyncio.run(self._alone())
        return self.sent[-1].get("code")

    async def _alone(self) -> None:
        async with asyncio.timeout(20):
            await self.serve()
        assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture
def server(committed_db, channel) -> Server:
    return Server(channel)


def test_a_page_that_goes_at_any_moment_has_gone(server, channel, run) -> None:
    worker = pages.Worker(run.pk)

    async def main() -> None:
        for n in range(60):
            page = Server(channel)
            serving = asyncio.create_task(page.serve())
            while not page.sent:
                await asyncio.sleep(0)
            await asyncio.sleep(n / 5000)
            page.given.put_nowait(GONE)
            async with asyncio.timeout(2):
                await serving
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    said = [entry.said for entry in worker.read()]
    assert said.count(Said.LEAVE) == 60


def test_a_broker_that_is_away_asks_the_page_to_come_again(
    server, settings, caplog
) -> None:
    settings.BROKER_URL = "redis://:s3cret@127.0.0.1:1/0"
    with caplog.at_level(logging.INFO):
        assert server.ended_with() == 1013
    assert "live.interrupted ConnectionError" in caplog.text
    for secret in ("s3cret", server.path.split("/")[2], "Traceback"):
        assert secret not in caplog.text


def test_a_broker_that_says_nothing_is_away(server, settings, monkeypatch) -> None:
    monkeypatch.setattr(wire, "PATIENCE_S", 0.3)

    async def main() -> None:
        listening = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        settings.BROKER_URL = f"redis://127.0.0.1:{port}/0"
        async with asyncio.timeout(5):
            await server.serve()
        listening.close()

    asyncio.run(main())
    assert server.sent[-1]["code"] == 1013


@pytest.mark.parametrize("error", [OperationalError("dsn"), redis.ReadOnlyError("x")])
def test_a_database_that_is_away_asks_the_page_to_come_again(
    server, monkeypatch, caplog, error
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(visit, "standing", away)
    assert server.ended_with() == 1013
    assert type(error).__name__ in caplog.text
    assert "Traceback" not in caplog.text


def test_a_database_that_is_away_at_the_door_lets_nobody_in(
    server, monkeypatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("dsn")

    monkeypatch.setattr(socket, "standing", away)
    server.ended_with()
    assert [each["type"] for each in server.sent] == ["websocket.close"]


@pytest.mark.parametrize("error", [OSError("gone"), RuntimeError("already closed")])
def test_a_page_that_cannot_be_told_has_gone(server, caplog, error, monkeypatch):
    class Deaf(Server):
        async def send(self, message) -> None:
            await super().send(message)
            if message["type"] != "websocket.accept":
                raise error

    monkeypatch.setattr(visit, "STANDING_EVERY_S", 0.1)
    page = Deaf.__new__(Deaf)
    page.__dict__ = server.__dict__
    monkeypatch.setattr(visit, "MAX_VIOLATIONS", 1)
    server.given.put_nowait({"type": "websocket.receive", "text": "x"})
    assert page.ended_with() == 1008
    assert "Traceback" not in caplog.text


def test_a_page_that_takes_no_goodbye_is_left(server, monkeypatch) -> None:
    class Stuck(Server):
        async def send(self, message) -> None:
            await super().send(message)
            if message["type"] == "websocket.close":
                await asyncio.sleep(60)

    monkeypatch.setattr(visit, "GOODBYE_S", 0.1)
    monkeypatch.setattr(visit, "MAX_VIOLATIONS", 1)
    page = Stuck.__new__(Stuck)
    page.__dict__ = server.__dict__
    server.given.put_nowait({"type": "websocket.receive", "text": "x"})
    assert page.ended_with() == 1008


def test_uploads_wait_for_a_worker_that_is_slow_and_not_for_ever(
    server, run, monkeypatch
) -> None:
    monkeypatch.setattr(wire, "MAX_IN_BYTES", 1_000_000)
    monkeypatch.setattr(wire, "ROOM_WITHIN_S", 1.0)
    worker = pages.Worker(run.pk)
    upload = encode(custom("map", {"drop": 1}, buffers=(os.urandom(600_000),)))

    async def main() -> None:
        serving = asyncio.create_task(server.serve())
        await asyncio.to_thread(worker.welcome)
        worker.list_widgets()
        worker.show(opened("map"))
        while len(server.sent) < 3:
            await asyncio.sleep(0.01)
        for _ in range(2):
            message = {"type": "websocket.receive", "bytes": upload}
            server.given.put_nowait(message)
        await asyncio.to_thread(worker.frames, 1)
        await asyncio.sleep(0.3)
        assert worker.read() == []
        worker.broker.xtrim(in_key(run.pk), maxlen=0, approximate=False)
        await asyncio.to_thread(worker.frames, 1)
        server.given.put_nowait(message)
        await serving

    asyncio.run(main())
    assert server.sent[-1]["code"] == 1013


def test_a_visit_lasts_no_longer_than_a_session(server, settings) -> None:
    token_lasts_s = settings.LIVE_SESSION_S
    settings.LIVE_SESSION_S = 1
    assert token_lasts_s > 60
    assert server.ended_with() == 1013


def test_whoever_is_too_fast_waits_and_no_longer_than_a_ping(monkeypatch) -> None:
    bucket = Bucket(per_s=10, at_once=5, at_s=0.0)
    assert [bucket.take(1, now_s=0.0) for _ in range(5)] == [0.0] * 5
    assert bucket.take(1, now_s=0.0) == pytest.approx(0.1)
    assert bucket.take(1, now_s=10.0) == 0.0
    assert BYTES_AT_ONCE / BYTES_PER_S < 20
