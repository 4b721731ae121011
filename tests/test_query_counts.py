"""Pages ask the database a bounded number of questions, however much there is to show."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from gallery.models import Notebook
from gallery.workflow import Status
from runner.models import Run
from runner.services import requests
from tests.factories.gallery import make_notebook, make_version, person
from tests.factories.runs import make_run
from tests.pages import as_reader

pytestmark = pytest.mark.django_db

RIGHTS = ("accounts_roleassignment", "accounts_personaassignment")
ASSIGNED = 'FROM "{}"'


def grow() -> None:
    """Add to everything that a page lists."""
    for number in range(3):
        approved = make_version(Status.APPROVED, title=f"More {number}")
        make_run(approved, person("adams"), "succeeded")
        make_run(approved, person("adams"), queue="page")
        make_version(Status.IN_REVIEW, title=f"In review {number}")
        make_version(Status.PEER_APPROVED, title=f"For compliance {number}")
        make_notebook(title=f"Draft {number}")


@pytest.fixture
def first() -> Notebook:
    version = make_version(Status.APPROVED)
    make_run(version, person("adams"), "succeeded")
    make_run(version, person("adams"), queue="page")
    make_version(Status.IN_REVIEW, title="Waits for peers")
    make_version(Status.PEER_APPROVED, title="Waits for compliance")
    return version.notebook


def asked(client: Client, path: str) -> list[str]:
    client.get(path)  # what is looked up once in the life of a process
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(path).status_code == 200
    return [query["sql"] for query in queries]


def run_path(notebook: Notebook) -> str:
    return Run.objects.get(notebook=notebook, status="succeeded").get_absolute_url()


def waiting_path(notebook: Notebook) -> str:
    return Run.objects.get(notebook=notebook, status="queued").get_absolute_url()


#: Page: its address, who looks, the most that it asks, and how many people's rights:
#: a run's page also asks for those of whoever requested it. Where a run can be asked
#: for, three signatures are verified: eleven questions. All places in line are one more.
PAGES: dict[str, tuple[Callable[[Notebook], str], str, int, int]] = {
    "catalog of a reader": (lambda _: "/", "adams", 23, 1),
    "catalog of a reviewer": (lambda _: "/", "ravi", 24, 1),
    "catalog of an author": (lambda _: "/", "ada", 23, 1),
    "notebook for a reader": (lambda it: it.get_absolute_url(), "adams", 31, 1),
    "notebook for compliance": (lambda it: it.get_absolute_url(), "carol", 29, 1),
    "run": (run_path, "adams", 28, 2),
    "run that waits": (waiting_path, "adams", 28, 2),
    "my runs": (lambda _: "/runs/", "adams", 12, 1),
    "my runs by the API": (lambda _: "/api/v1/runs/", "adams", 12, 1),
    "queue of a peer": (lambda _: "/reviews/", "ravi", 10, 1),
    "queue of compliance": (lambda _: "/reviews/", "carol", 10, 1),
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_as_much_for_many_as_for_few_and_for_rights_once(
    first: Notebook, page: str
) -> None:
    path_of, username, most, rights = PAGES[page]
    client = as_reader(person(username))
    path = path_of(first)
    few = asked(client, path)
    grow()
    many = asked(client, path)
    for table in RIGHTS:
        assert sum(ASSIGNED.format(table) in sql for sql in many) <= rights, table
    assert len(many) == len(few) <= most


def test_what_was_taken_away_is_gone_with_the_next_request(
    first: Notebook, adams: User
) -> None:
    client = as_reader(adams)
    assert client.get(first.get_absolute_url()).status_code == 200
    adams.persona_assignments.all().delete()
    assert client.get(first.get_absolute_url()).status_code == 404


@pytest.mark.usefixtures("data_cluster")
def test_what_is_taken_away_during_an_act_stops_it(
    first: Notebook, adams: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_ticket = requests.put_ticket

    def take_away(*args: Any, **kwargs: Any) -> None:
        put_ticket(*args, **kwargs)
        adams.persona_assignments.all().delete()

    monkeypatch.setattr(requests, "put_ticket", take_away)
    before = Run.objects.count()
    sent = {"version": "1", "persona": "doctor", "purpose": "treatment"}
    page = as_reader(adams).post(f"{first.get_absolute_url()}run/", sent)
    assert page.status_code == 403
    assert Run.objects.count() == before
