"""Bring the demo's databases up to date; every step may run again without harm."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx

from config.demo.hospital.build import build_all
from config.demo.programs import (
    DATA_DATABASES,
    DATA_LOGINS,
    REPOSITORY,
    Demo,
    owner_environment,
    web_environment,
)
from config.embedded import application
from config.embedded.files import write_private

READY_TIMEOUT_S = 120.0


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


def build(demo: Demo, *, migrate: bool) -> None:
    """Both databases, side by side."""
    with ThreadPoolExecutor() as pool:
        parts = [
            pool.submit(build_application, demo, migrate=migrate),
            pool.submit(build_data, demo),
        ]
        for part in parts:
            part.result()


def build_application(demo: Demo, *, migrate: bool) -> None:
    """Roles and rights, and tables unless they are known to be there."""
    with step("Updating Countersign's database"):
        server = demo.application_server()
        application.create_database(server)
        for role in (application.OWNER, application.APP):
            application.set_password(server, role, demo.home.secret(role))
        if migrate:
            manage(owner_environment(demo), "migrate", "--skip-checks", "-v", "0")


def load(demo: Demo) -> None:
    """People, notebooks and their reviews."""
    with step("Loading people and notebooks"):
        manage(web_environment(demo), "load_demo")


def build_data(demo: Demo) -> None:
    """The hospital and its notional twin."""
    superuser_dsn = demo.data_server().dsn()
    passwords = {role: demo.home.secret(role) for role in DATA_LOGINS.values()}
    with step("Filling the demo hospital (the first time takes longest)"):
        build_all(superuser_dsn=superuser_dsn, passwords=passwords, say=say)


def say(sentence: str) -> None:
    """Tell one thing that happened."""
    print(f"    {sentence}", flush=True)


def manage(environment: Mapping[str, str], *arguments: str) -> None:
    """Run one management command.  Raises BootstrapFailed with what it said."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=REPOSITORY,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr or done.stdout)[-4000:]
        raise BootstrapFailed(f"manage.py {arguments[0]} failed:\n{said}")


def wait_until_ready(demo: Demo, failed: Callable[[], list[str]]) -> None:
    """Return once every part says that it is ready.  Raises BootstrapFailed."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    said = "no answer"
    while True:
        try:
            answer = httpx.get(f"{demo.application_origin}/readyz", timeout=5)
        except httpx.TransportError as error:
            said = str(error)
        else:
            if answer.is_success:
                return
            said = answer.text[:2000]
        if gone := failed():
            raise BootstrapFailed(f"These did not start: {', '.join(gone)}")
        if time.monotonic() > deadline:
            raise BootstrapFailed(f"The parts did not become ready: {said}")
        time.sleep(0.5)


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
