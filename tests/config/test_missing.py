"""What is not there, and what fails, is answered in the form that the caller reads."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import httpx
import psycopg
import pytest
from django.db import connection
from django.db.utils import DatabaseErrorWrapper
from django.test import Client
from psycopg import errors

from accounts.models import User
from config import health
from config.environment import POOL_TIMEOUT_S
from tests.pages import PASSWORD
from tests.support import environment, services
from tests.support.fixtures import Site

MISSING = "/notebooks/not-there/"


def cut_connections() -> None:
    with psycopg.connect(services.application_server().dsn(), autocommit=True) as owner:
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [environment.database()],
        )


def test_a_connection_that_was_cut_is_not_used_for_the_page(
    site: Site, nora: User
) -> None:
    with closing(signed_in(site, "nora")) as client:
        for _ in range(8):
            assert client.get(MISSING).status_code == 404
        cut_connections()
        for _ in range(8):
            assert client.get(MISSING).status_code == 404


@contextmanager
def nobody_connects() -> Iterator[None]:
    """The site's database is cut off, and refuses whoever comes back."""
    allow = f"ALTER DATABASE {environment.database()} ALLOW_CONNECTIONS"
    with psycopg.connect(services.application_server().dsn(), autocommit=True) as owner:
        owner.execute(f"{allow} false")
        cut_connections()
        try:
            yield
        finally:
            owner.execute(f"{allow} true")


def until_answered(client: httpx.Client, path: str, *, within_s: float = 30) -> None:
    until = time.monotonic() + within_s
    while client.get(path).status_code != 200:
        assert time.monotonic() < until, "it stays away though its database is back"
        time.sleep(0.5)


def signed_in(site: Site, username: str) -> httpx.Client:
    # A request waits for a connection as long as the pool is told to.
    client = httpx.Client(base_url=site.url, timeout=POOL_TIMEOUT_S + 10)
    client.get("/api/v1/session/")
    client.post(
        "/api/v1/session/",
        json={"username": username, "password": PASSWORD},
        headers={"X-CSRFToken": client.cookies["csrftoken"]},
    ).raise_for_status()
    return client


def test_while_the_database_is_away_programs_and_people_are_told_to_come_back(
    site: Site, nora: User
) -> None:
    with closing(signed_in(site, "nora")) as client:
        with nobody_connects(), ThreadPoolExecutor() as pool:
            answer, page = pool.map(client.get, ("/api/v1/notebooks/", "/"))
        until_answered(client, "/")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert page.status_code == 503
    assert "A part of the service does not answer" in page.text


@pytest.mark.parametrize(
    ("cause", "status"),
    [
        (errors.OperationalError, 503),
        (errors.AdminShutdown, 503),
        (errors.ConnectionFailure, 503),
        (errors.DeadlockDetected, 500),
        (errors.QueryCanceled, 500),
        (errors.DiskFull, 500),
        (errors.ObjectNotInPrerequisiteState, 500),
        (errors.InterfaceError, 500),
        (errors.UndefinedTable, 500),
    ],
)
def test_only_a_database_that_is_away_is_worth_coming_back_for(
    monkeypatch: pytest.MonkeyPatch, db: None, cause: type[Exception], status: int
) -> None:
    failing(monkeypatch, cause)
    client = Client(raise_request_exception=False)
    assert client.get("/api/v1/session/").status_code == status


def failing(monkeypatch: pytest.MonkeyPatch, cause: type[Exception]) -> None:
    """Every request for the session or the catalog meets this error of the database."""

    def fail(*_: Any, **__: Any) -> None:
        with DatabaseErrorWrapper(connection):
            raise cause

    for name in ("get", "delete"):
        monkeypatch.setattr(f"accounts.api.session.SessionView.{name}", fail)
    monkeypatch.setattr("config.health.remembered_parts", fail)


def test_what_was_asked_to_be_changed_is_not_said_to_be_unchanged(
    monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    failing(monkeypatch, errors.AdminShutdown)
    client = Client(raise_request_exception=False)
    reading, changing = (
        client.get("/api/v1/session/"),
        client.delete("/api/v1/session/"),
    )
    assert (reading.status_code, changing.status_code) == (503, 503)
    assert "not known" in changing.json()["detail"]
    assert "not known" not in reading.json()["detail"]
    page = client.get("/readyz")
    assert page.status_code == 503
    assert b"Nothing was changed" in page.content


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, db: None) -> Client:
    def fail(*_: Any, **__: Any) -> None:
        message = "CANARY of the fault"
        raise RuntimeError(message)

    monkeypatch.setattr("accounts.api.session.SessionView.get", fail)
    monkeypatch.setattr(health, "_remembered", None)
    return Client(raise_request_exception=False)


def test_a_fault_of_ours_is_a_problem_to_programs_without_details(
    broken: Client,
) -> None:
    answer = broken.get("/api/v1/session/")
    assert answer.status_code == 500
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "failed"
    assert b"CANARY" not in answer.content


def test_a_fault_of_ours_is_a_page_to_people(broken: Client) -> None:
    answer = broken.get("/readyz")
    assert answer.status_code == 500
    assert answer["Content-Type"].startswith("text/html")
    assert b"CANARY" not in answer.content
