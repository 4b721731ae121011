"""Bring the demo's databases up to date; every step may run again without harm."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from config.demo.programs import (
    DATA_DATABASES,
    DATA_LOGINS,
    REPOSITORY,
    Demo,
    common,
    owner_environment,
    web_environment,
)
from config.embedded import application
from config.embedded.files import write_private

READY_TIMEOUT_S = 120.0
ASK_EVERY_S = 0.25
ANSWER_WITHIN_S = 5.0


class BootstrapFailed(RuntimeError):
    """A step of the bootstrap failed; the message says which and how."""


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is going on, and how long it took."""
    print(f"  {what} …", flush=True)
    started = time.monotonic()
    yield
    print(f"  {what}: done in {time.monotonic() - started:.1f} s", flush=True)


def initialise(demo: Demo) -> None:
    """Make both clusters on the first start."""
    servers = (demo.application_server(), demo.data_server())
    if not all(server.is_initialised() for server in servers):
        with step("Creating two PostgreSQL clusters"), ThreadPoolExecutor() as pool:
            list(pool.map(lambda server: server.initialise(), servers))
    for server in servers:
        server.prepare()
    demo.broker().prepare()


def wait_for_services(demo: Demo) -> None:
    """Return once both databases and the queue answer."""
    demo.application_server().wait_until_ready()
    demo.data_server().wait_until_ready()
    demo.broker().wait_until_ready()


def build(demo: Demo) -> None:
    """Both databases, side by side; whoever stops this, or fails, stops both."""
    with ThreadPoolExecutor() as pool:
        parts = [pool.submit(part, demo) for part in (build_application, build_data)]
        try:
            for part in as_completed(parts):
                part.result()
        except BaseException:
            while not all(part.done() for part in parts):
                for child in list(_children):
                    child.terminate()
                time.sleep(0.1)
            raise


def build_application(demo: Demo) -> None:
    """Roles, rights and tables; then people, notebooks and their reviews."""
    with step("Updating Countersign's database"):
        server = demo.application_server()
        application.create_database(server)
        for role in (application.OWNER, application.APP):
            application.set_password(server, role, demo.home.secret(role))
        manage(owner_environment(demo), "migrate", "--skip-checks", "-v", "0")
    with step("Loading people and notebooks"):
        manage(web_environment(demo), "load_demo")


def build_data(demo: Demo) -> None:
    """The hospital and its notional twin, in a process that later starts need not import."""
    passwords = {role: demo.home.secret(role) for role in DATA_LOGINS.values()}
    wanted = {"superuser_dsn": demo.data_server().dsn(), "passwords": passwords}
    with step("Filling the demo hospital (the first time takes longest)"):
        _run(["-m", "config.demo.hospital"], common(demo), told=json.dumps(wanted))


def manage(environment: Mapping[str, str], *arguments: str) -> None:
    """Run one management command.  Raises BootstrapFailed with what it said."""
    _run(["manage.py", *arguments], environment, said=subprocess.PIPE)


_children: set[subprocess.Popen[str]] = set()
"""Steps under way, each in a process of its own."""


def _run(
    arguments: list[str],
    environment: Mapping[str, str],
    *,
    told: str = "",
    said: int | None = None,
) -> None:
    """Run a Python program of ours to its end.  Raises BootstrapFailed with what it said."""
    child = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=said,
        stderr=subprocess.PIPE,
        text=True,
    )
    _children.add(child)
    try:
        stdout, stderr = child.communicate(told)
    except BaseException:
        child.kill()
        child.wait()
        raise
    finally:
        _children.remove(child)
    if child.returncode:
        message = f"{' '.join(arguments)} failed:\n{(stderr or stdout)[-4000:]}"
        raise BootstrapFailed(message)


def wait_until_ready(demo: Demo, failed: Callable[[], list[str]]) -> None:
    """Return once every part says that it is ready.  Raises BootstrapFailed."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    while True:
        is_ready, said = _readiness(demo)
        if is_ready:
            return
        if gone := failed():
            raise BootstrapFailed(f"These did not start: {', '.join(gone)}")
        if time.monotonic() > deadline:
            raise BootstrapFailed(f"The parts did not become ready: {said}")
        time.sleep(ASK_EVERY_S)


def _readiness(demo: Demo) -> tuple[bool, str]:
    """Whether `/readyz` is green, and what was said."""
    web = HTTPConnection("localhost", demo.port, timeout=ANSWER_WITHIN_S)
    try:
        web.request("GET", "/readyz")
        answer = web.getresponse()
        return answer.status == HTTPStatus.OK, answer.read(2000).decode()
    except (OSError, HTTPException) as error:
        return False, f"no answer: {error}"
    finally:
        web.close()


def write_report(demo: Demo) -> None:
    """`demo.json`: where to look with psql.  Holds passwords: 0600, loopback only."""
    report = {
        "base_url": demo.application_origin,
        "content_url": demo.content_origin,
        "app_dsn": demo.application_dsn(application.APP),
        "data_owner_dsn": demo.data_server().dsn(DATA_DATABASES[""]),
        "notional_owner_dsn": demo.data_server().dsn(DATA_DATABASES["NOTIONAL_"]),
    }
    write_private(demo.home.report, json.dumps(report, indent=2) + "\n")


def request_first_runs(demo: Demo) -> None:
    """Queue one run per persona, so that there is something to look at.

    The demo is up already: when this fails it says so and goes on.
    """
    try:
        manage(web_environment(demo), "load_demo", "--runs")
    except BootstrapFailed as error:
        print(f"The first runs could not be requested.  {error}", flush=True)
