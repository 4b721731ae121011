"""The embedded Valkey: a password, loopback, and no way to reconfigure it."""

import os
from pathlib import Path

import pytest
import redis

from config.embedded.files import free_port
from config.embedded.valkey import ValkeyServer


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = ValkeyServer(
        tmp_path_factory.mktemp("valkey") / "home", free_port(), "right"
    )
    server.start()
    yield server
    server.stop()


def test_it_answers_to_its_password(server):
    with redis.Redis.from_url(server.url()) as client:
        client.set("greeting", "hello")
        assert client.get("greeting") == b"hello"


@pytest.mark.security
@pytest.mark.parametrize("password", [None, "wrong"])
def test_it_answers_to_nobody_else(server, password):
    with (
        redis.Redis(port=server.port, password=password) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()


@pytest.mark.parametrize(
    "command",
    [("CONFIG", "GET", "*"), ("SHUTDOWN",), ("MODULE", "LIST")],
)
def test_a_client_cannot_administer_it(server, command):
    with (
        redis.Redis.from_url(server.url()) as client,
        pytest.raises(redis.exceptions.NoPermissionError),
    ):
        client.execute_command(*command)


def test_the_password_is_in_no_argument(server):
    assert b"right" not in Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
    assert (server.home / "valkey.conf").stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="about what root must do")
def test_started_by_root_it_runs_as_somebody_else(server):
    assert Path(f"/proc/{server.process.pid}").stat().st_uid == server.uid
