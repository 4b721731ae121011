"""The whole product, as `make demo` starts it, and the people who use it over HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg

from config.demo.people import PASSWORD
from tests.support.environment import REPOSITORY

READY_WITHIN_S = 300
WAIT = {"Prefer": "wait=60"}
#: The demo's own runs, which it queues when it is ready, must not be measured.
QUIET_FOR_S = 5


class DemoSite:
    """One running demo; nobody else uses it."""

    def __init__(self, home: Path, pid: int) -> None:
        self.home = home
        self.pid = pid
        report = json.loads((home / "demo.json").read_text(encoding="utf-8"))
        self.url: str = report["base_url"]
        self.data_dsn: str = report["data_owner_dsn"]
        self.application_dsn: str = report["app_dsn"]

    def sign_in(self, username: str) -> httpx.Client:
        """A script's session of one of the cast."""
        client = httpx.Client(base_url=f"{self.url}/api/v1/", timeout=120)
        client.get("session/")
        credentials = {"username": username, "password": PASSWORD}
        done(client.post("session/", json=credentials, headers=_token(client)))
        client.headers.update(_token(client))
        return client

    def approve(self, title: str, notebook: dict[str, Any], **fields: str) -> str:
        """Upload a notebook and have it signed by two peers and compliance; return its slug."""
        with closing(self.sign_in("ada")) as author:
            file = {"file": ("notebook.ipynb", json.dumps(notebook))}
            entry = {"title": title, "summary": "First version", **fields}
            slug = done(author.post("notebooks/", data=entry, files=file))["slug"]
            version = f"notebooks/{slug}/versions/1/"
            preview = author.post(
                f"{version}previews/", json={"persona": "lab"}, headers=WAIT
            )
            assert done(preview)["status"] == "succeeded", preview.text
            done(author.post(f"{version}submit/", json={}))
        signed = {"decision": "approve", "comment": "Read.", "password": PASSWORD}
        for peer in ("ravi", "petra"):
            with closing(self.sign_in(peer)) as reviewer:
                seen = done(reviewer.get(version))["fingerprint"]
                reviews = f"{version}reviews/"
                done(reviewer.post(reviews, json={**signed, "seen": seen}))
        with closing(self.sign_in("carol")) as officer:
            done(officer.post(f"{version}sign-offs/", json=signed))
        return str(slug)

    def require_kernel(self, run_id: str, *, pooled: bool) -> None:
        """Insist that a run's kernel was forked, and had waited for it or not."""
        with psycopg.connect(self.application_dsn) as connection:
            (evidence,) = connection.execute(
                "SELECT evidence FROM runner_run WHERE id = %s", [run_id]
            ).fetchall()[0]
        found = evidence["launcher"], evidence["pooled"]
        assert found == ("fork", pooled), (
            f"this was not the run to be measured: {found}"
        )

    def moments(self, run_id: str) -> tuple[datetime, ...]:
        """When a run was asked for, claimed, had its kernel, and had its outputs as HTML."""
        with psycopg.connect(self.application_dsn) as connection:
            (found,) = connection.execute(
                "SELECT queued_at, claimed_at, started_at, finished_at FROM runner_run"
                " WHERE id = %s",
                [run_id],
            ).fetchall()
        return found

    def wait_until_quiet(self) -> None:
        """Return when nothing has run for a while."""
        with closing(self.sign_in("otto")) as operator:
            quiet_since = time.monotonic()
            while time.monotonic() - quiet_since < QUIET_FOR_S:
                runs = done(operator.get("status/"))["runs"]
                if runs["queued"] or runs["under_way"]:
                    quiet_since = time.monotonic()
                time.sleep(0.5)


def timed_run(person: httpx.Client, slug: str) -> tuple[float, str]:
    """Seconds from pressing Run until the result is there to be read, and which run it was."""
    began = time.perf_counter()
    run = done(person.post(f"notebooks/{slug}/runs/", json={}, headers=WAIT))
    page = person.get(f"runs/{run['id']}/html/")
    took = time.perf_counter() - began
    assert (run["status"], page.status_code) == ("succeeded", 200), run["error"]
    return took, str(run["id"])


@contextmanager
def demo_site(home: Path, **settings: str) -> Iterator[DemoSite]:
    """Start a demo of its own, with these settings, and stop it."""
    home.mkdir(parents=True)
    variables = {
        **os.environ,
        "COUNTERSIGN_HOME": str(home),
        "PORT": str(_free_port()),
        **settings,
    }
    with (home.parent / f"{home.name}.log").open("wb") as log:
        demo = subprocess.Popen(
            [sys.executable, "-m", "config.demo"],
            cwd=REPOSITORY,
            env=variables,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_until_ready(demo, home)
        site = DemoSite(home, demo.pid)
        site.wait_until_quiet()
        yield site
    finally:
        demo.send_signal(signal.SIGTERM)
        demo.wait(60)


def _wait_until_ready(demo: subprocess.Popen[bytes], home: Path) -> None:
    log, until = home.parent / f"{home.name}.log", time.monotonic() + READY_WITHIN_S
    while "Ready after" not in log.read_text(encoding="utf-8", errors="replace"):
        assert demo.poll() is None, log.read_text(encoding="utf-8")
        assert time.monotonic() < until, "the demo was not ready in time"
        time.sleep(0.5)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _token(client: httpx.Client) -> dict[str, str]:
    token = next(c.value or "" for c in client.cookies.jar if c.name == "csrftoken")
    return {"X-CSRFToken": token}


def done(answer: httpx.Response) -> Any:
    """The answer's content; an answer that says no ends the benchmark."""
    assert answer.is_success, answer.text
    return answer.json()
