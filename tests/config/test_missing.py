"""The page for what is not there stays well when the database has restarted."""

import httpx
import psycopg

from accounts.models import User
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
