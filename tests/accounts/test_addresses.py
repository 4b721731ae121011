"""Whose address counts when passwords are guessed: the real web server, real headers."""

import sys
from collections.abc import Iterator

import httpx
import pytest

from audit.models import Event
from config.demo.people import PASSWORD
from config.embedded.files import free_port
from tests.support import processes
from tests.support.fixtures import Site

pytestmark = pytest.mark.security
FAILURE_LIMIT = 8
GATEWAY = "127.0.0.1"
"""Where the proxy's requests come from in these tests; the gateway's, in a deployment."""


def sign_in(url: str, password: str, forwarded_for: str | None = None) -> int:
    """Sign in by the API as a fresh client; returns the status."""
    headers = {"X-Forwarded-For": forwarded_for} if forwarded_for else {}
    with httpx.Client(base_url=f"{url}/api/v1/", headers=headers) as client:
        client.get("session/")
        token = {"X-CSRFToken": client.cookies["csrftoken"]}
        body = {"username": "ada", "password": password}
        return client.post("session/", json=body, headers=token).status_code


def recorded_addresses() -> list[str]:
    events = Event.objects.filter(action="session.signed_in")
    return [event.data["address"] for event in events]


def test_a_forged_header_neither_unlocks_nor_is_recorded(site: Site, ada):
    assert sign_in(site.url, PASSWORD, "203.0.113.99") == 200
    assert recorded_addresses() == ["127.0.0.1"]
    guesses = [
        sign_in(site.url, "my guess", f"203.0.113.{n}") for n in range(FAILURE_LIMIT)
    ]
    assert guesses[-1] == 429
    assert sign_in(site.url, PASSWORD, "203.0.113.100") == 429


@pytest.fixture
def behind_proxy(site: Site) -> Iterator[str]:
    """The web server as the image starts it, told to believe the proxy's address."""
    port = free_port()
    # docker/Dockerfile's command, but for where it listens.
    argv = [sys.executable, "-m", "uvicorn", "config.asgi:application"]
    argv += ["--port", str(port), "--lifespan", "off", "--no-access-log"]
    trusting = {"FORWARDED_ALLOW_IPS": GATEWAY, **processes.origins(port)}
    process = processes.Process("proxied", argv, trusting)
    url = f"http://localhost:{port}"
    process.start(lambda: _answers(f"{url}/healthz"))
    yield url
    process.stop()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).is_success
    except httpx.TransportError:
        return False


def test_behind_the_proxy_each_client_has_its_own_address(behind_proxy: str, ada):
    """The proxy appends the address that it saw; what stands before it is the client's tale."""
    attacker = [
        sign_in(behind_proxy, "my guess", f"203.0.113.{n}, 192.0.2.66")
        for n in range(FAILURE_LIMIT)
    ]
    assert attacker[-1] == 429
    assert sign_in(behind_proxy, PASSWORD, "203.0.113.200, 192.0.2.66") == 429
    assert sign_in(behind_proxy, PASSWORD, "192.0.2.7") == 200
    assert recorded_addresses() == ["192.0.2.7"]
