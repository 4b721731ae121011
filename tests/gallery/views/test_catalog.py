"""The catalog page: who sees what, narrowing, sorting, nothing found."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from gallery.workflow import Status
from tests.factories.gallery import make_notebook, make_version
from tests.pages import as_reader, text

pytestmark = pytest.mark.django_db


def test_the_catalog_asks_strangers_to_sign_in(client) -> None:
    response = client.get("/")
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in/")


def test_a_doctor_finds_an_approved_notebook_with_its_seal(adams: User) -> None:
    version = make_version(Status.APPROVED)
    page = as_reader(adams).get("/")
    assert version.notebook.title in text(page)
    assert version.short_digest in text(page)


def test_a_doctor_does_not_find_a_draft(adams: User) -> None:
    make_version(Status.DRAFT)
    assert "Prescription trends" not in text(as_reader(adams).get("/"))


def test_somebody_without_persona_or_role_is_told_why_nothing_is_there(
    nora: User,
) -> None:
    make_version(Status.APPROVED)
    page = text(as_reader(nora).get("/"))
    assert "No notebooks for you yet" in page
    assert "Prescription trends" not in page


def test_a_search_without_hits_says_what_was_searched_and_what_to_loosen(
    adams: User,
) -> None:
    make_version(Status.APPROVED)
    page = text(as_reader(adams).get("/?q=zeppelin"))
    assert "Notebooks that match “zeppelin”" in page
    assert "Try fewer or other words" in page


@pytest.mark.parametrize(
    "query", ["tag=%00", "q=%00", "page=nonsense", "ordering=;drop", "state=nothing"]
)
def test_odd_addresses_are_answered(adams: User, query: str) -> None:
    assert as_reader(adams).get(f"/?{query}").status_code == 200


def test_facets_narrow_and_stay_in_the_address(adams: User) -> None:
    make_version(Status.APPROVED)
    make_version(Status.APPROVED, title="Lab turnaround", tags=["lab"])
    page = as_reader(adams).get("/?tag=lab")
    assert "Lab turnaround" in text(page)
    assert "Prescription trends" not in text(page)
    assert "tag=lab&amp;ordering=-created_at" in page.content.decode()


def test_the_newest_visible_version_stands_where_none_is_approved(ada: User) -> None:
    notebook = make_notebook()
    newest = make_version(Status.DRAFT, notebook=notebook)
    assert newest.short_digest in text(as_reader(ada).get("/"))


def test_the_approved_version_stands_before_a_newer_draft(ada: User) -> None:
    approved = make_version(Status.APPROVED)
    draft = make_version(Status.DRAFT, notebook=approved.notebook)
    page = text(as_reader(ada).get("/"))
    assert approved.short_digest in page
    assert draft.short_digest not in page


def test_more_notebooks_take_no_more_queries(
    adams: User, django_assert_num_queries
) -> None:
    client = as_reader(adams)
    make_version(Status.APPROVED, title="First")
    client.get("/")
    with CaptureQueriesContext(connection) as few:
        client.get("/")
    for number in range(4):
        make_version(Status.APPROVED, title=f"Notebook {number}")
    with django_assert_num_queries(len(few)):
        client.get("/")
