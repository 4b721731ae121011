"""What the bootstrap does when a step fails, is stopped, or a part is not ready."""

import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from config.demo import bootstrap
from config.demo.programs import Demo
from config.demo.state import Home
from config.embedded.files import free_port


@pytest.fixture
def demo(tmp_path):
    ports = {"application": 5001, "data": 5002, "broker": 5003}
    return Demo(Home(tmp_path / "home"), free_port(), ports, "required")


def for_ever(demo):
    bootstrap._run(["-c", "import time; time.sleep(300)"], {})


def fail(demo):
    while not bootstrap._children:
        time.sleep(0.01)
    raise bootstrap.BootstrapFailed("no room")


def test_a_step_that_fails_does_not_wait_for_the_one_beside_it(demo, monkeypatch):
    monkeypatch.setattr(bootstrap, "build_application", fail)
    monkeypatch.setattr(bootstrap, "build_data", for_ever)
    started = time.monotonic()
    with pytest.raises(bootstrap.BootstrapFailed, match="no room"):
        bootstrap.build(demo)
    assert time.monotonic() - started < 60
    assert bootstrap._children == set()


def test_a_step_ends_with_the_demo_that_is_stopped_meanwhile(monkeypatch):
    started = []

    def stop(child, told):
        started.append(child)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "communicate", stop)
    with pytest.raises(KeyboardInterrupt):
        for_ever(None)
    assert started[0].returncode is not None


def test_what_a_step_said_last_is_told(demo):
    with pytest.raises(bootstrap.BootstrapFailed, match="No such thing"):
        bootstrap._run(["-c", "raise SystemExit('No such thing')"], {})


class Web:
    """Answers `/readyz` with these status codes, one after the other."""

    def __init__(self, port, *codes):
        left = list(codes)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(left.pop(0) if self.path == "/readyz" else 404)
                self.end_headers()
                self.wfile.write(b"beat: no sweep lately")

            def log_message(self, *args):
                pass

        self.left = left
        self.server = HTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def web(demo):
    servers = []

    def start(*codes):
        servers.append(Web(demo.port, *codes))
        return servers[-1]

    yield start
    for each in servers:
        each.server.shutdown()
        each.server.server_close()


def test_ready_is_when_every_part_says_so_and_not_before(demo, web):
    answering = web(503, 503, 200)
    bootstrap.wait_until_ready(demo, list)
    assert answering.left == []


def test_who_never_becomes_ready_is_told_with_the_reason(demo, web, monkeypatch):
    web(*[503] * 99)
    monkeypatch.setattr(bootstrap, "READY_TIMEOUT_S", 0.5)
    with pytest.raises(bootstrap.BootstrapFailed, match="no sweep lately"):
        bootstrap.wait_until_ready(demo, list)


def test_a_program_that_was_given_up_is_named(demo):
    with pytest.raises(bootstrap.BootstrapFailed, match="web"):
        bootstrap.wait_until_ready(demo, lambda: ["web"])
