"""The socket: who may ask, who may listen, and what the client makes of silence."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from runner.kernelhost import client
from runner.kernelhost.client import (
    ConnectionLost,
    ExecuteRequest,
    KernelHostUnavailable,
)
from runner.kernelhost.protocol import DataSource, SourceLimits
from runner.kernelhost.proxy.sources import SourceListener
from runner.kernelhost.server import Server
from runner.kernelhost.settings import InvalidSetting, read_settings
from tests.runner.kernelhost.harness import REPOSITORY, notebook

STRANGER = 61499


def request():
    return ExecuteRequest(
        "0" * 32, "python-analytics", "0" * 64, "python3", notebook("1")
    )


@pytest.mark.security
async def test_a_stranger_s_connection_is_closed_unread(tmp_path):
    settings = SimpleNamespace(client_uid=None, max_runs=1, pool={})
    server = Server(SimpleNamespace(settings=settings))
    server.allowed = {STRANGER}
    async with await asyncio.start_unix_server(server._accept, tmp_path / "s"):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
        assert await reader.read() == b""
        writer.close()
    assert not server.tasks


@pytest.mark.security
async def test_a_data_socket_answers_its_own_run_only(tmp_path):
    """K11: another run's process that reached the socket would still get nothing."""
    source = DataSource(
        "hospital", "127.0.0.1", 1, "d", "r_1", "x", "disable", SourceLimits()
    )
    records = []
    listener = SourceListener(source, records.append)
    await listener.listen(tmp_path / "s", STRANGER)
    reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    await listener.close()
    assert records == []


def test_a_second_host_does_not_take_the_socket_over(host):
    second = subprocess.run(
        [sys.executable, "-m", "runner.kernelhost"],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "KERNEL_HOST_SOCKET": str(host.socket)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert second.returncode == 1
    assert "already listens" in second.stderr
    assert client.status(host.socket)["ok"] is True


def test_nonsense_on_the_socket_is_refused_in_words(host):
    for line in (b"{}\n", b"nonsense\n", b'{"op":"format"}\n', b"[" * 100_000 + b"\n"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(host.socket))
            connection.sendall(line)
            assert b'"bad_request"' in connection.recv(10_000)


def test_without_a_host_the_client_says_so(tmp_path):
    with pytest.raises(KernelHostUnavailable):
        client.execute(tmp_path / "nobody", request())
    with pytest.raises(KernelHostUnavailable):
        client.status(tmp_path / "nobody")


def test_silence_is_told_from_the_end(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        session = client.execute(tmp_path / "s", request())
        server, _ = listener.accept()
        events = session.events(timeout_s=0.1)
        started = time.monotonic()
        assert next(events) is None
        assert 0.05 < time.monotonic() - started < 2
        server.sendall(b'{"event":"rea')
        assert next(events) is None
        server.sendall(b'dy"}\n{"event":"heartbeat"}\n')
        assert [next(events)["event"], next(events)["event"]] == ["ready", "heartbeat"]
        server.close()
        with pytest.raises(ConnectionLost):
            next(events)


def test_a_request_shows_neither_password_nor_notebook():
    source = client.DataSourceRequest("hospital", "h", 1, "d", "r_1", "very-secret")
    whole = ExecuteRequest(
        "0" * 32, "e", "0" * 64, "k", notebook("patient"), {}, (source,)
    )
    assert "very-secret" not in repr(whole)
    assert "patient" not in repr(whole)
    assert whole.as_message()["data_sources"][0]["password"] == "very-secret"


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"KERNEL_HOST_SOCKET": "/s", "SANDBOX": "maybe"},
        {"KERNEL_HOST_SOCKET": "/s", "KERNEL_HOST_MAX_RUNS": "many"},
        {"KERNEL_HOST_SOCKET": "/s", "KERNEL_HOST_CLIENT_UID": "www-data"},
    ],
)
def test_settings_that_make_no_sense_are_named(environ):
    with pytest.raises(InvalidSetting):
        read_settings(environ)


def test_a_setting_may_be_in_a_file(tmp_path):
    (tmp_path / "socket").write_text("/run/k.sock\n")
    assert (
        str(read_settings({"KERNEL_HOST_SOCKET_FILE": str(tmp_path / "socket")}).socket)
        == "/run/k.sock"
    )


@pytest.mark.security
def test_traffic_between_host_and_kernel_is_encrypted(host):
    outcome = host.run(
        "import zmq\n"
        "socket = get_ipython().kernel.iopub_socket.io_thread.socket\n"
        "print(socket.get(zmq.MECHANISM) == zmq.CURVE)"
    )
    assert outcome.text(0) == "True\n"
