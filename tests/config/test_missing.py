"""What is not there, and what fails, is answered in the form that the caller reads."""

from typing import Any

import httpx
import psycopg
import pytest
from django.test import Client

from accounts.models import User
from config import health
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
    with httpx.Client(base_url=site.url) as client:
        client.get("/api/v1/session/")
        client.post(
            "/api/v1/session/",
            json={"username": "nora", "password": PASSWORD},
            headers={"X-CSRFToken": client.cookies["csrftoken"]},
        ).raise_for_status()
        for _ in range(8):
            assert client.get(MISSING).status_code == 404
        cut_connections()
        for _ in range(8):
            assert client.get(MISSING).status_code == 404


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
