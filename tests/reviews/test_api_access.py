"""The API of audiences and comments."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import PersonaAssignment, User
from accounts.personas import Persona
from gallery.access import co_authors
from gallery.models import Notebook
from gallery.queries import document
from gallery.workflow import Status
from tests.api import PASSWORD, V1, as_person, codes, fields, is_problem, post
from tests.factories.gallery import make_version

pytestmark = pytest.mark.django_db

DEFAULT = {"everyone": True, "groups": [], "people": []}


def put(by: User, notebook: Notebook, **body: Any) -> Any:
    path = f"{V1}/notebooks/{notebook.slug}/access/"
    return as_person(by).put(path, body, format="json")


def test_both_audiences_are_everyone_until_somebody_narrows_them(ada: User) -> None:
    notebook = make_version().notebook
    answer = as_person(ada).get(f"{V1}/notebooks/{notebook.slug}/access/")
    assert answer.json() == {
        "launch": DEFAULT,
        "source": DEFAULT,
        "review": DEFAULT,
        "edit": [],
    }


def test_an_author_narrows_with_one_list_of_groups_and_people(
    ada: User, adams: User, baker: User
) -> None:
    Group.objects.create(name="Cardiology")
    notebook = make_version(Status.APPROVED).notebook
    answer = put(ada, notebook, launch=["Cardiology", "adams"])
    assert answer.status_code == 200
    assert answer.json()["launch"] == {
        "everyone": False,
        "groups": ["Cardiology"],
        "people": ["adams"],
    }
    assert answer.json()["source"] == DEFAULT
    path = f"{V1}/notebooks/{notebook.slug}/"
    assert as_person(adams).get(path).status_code == 200
    assert as_person(baker).get(path).status_code == 404


def test_widening_an_approval_takes_a_compliance_signature(
    ada: User, carol: User, adams: User, baker: User
) -> None:
    notebook = make_version(Status.APPROVED).notebook
    put(ada, notebook, launch=["adams"])
    wider = ["adams", "baker"]
    refused = put(ada, notebook, launch=wider, password=PASSWORD)
    assert is_problem(refused, 403)
    assert "widening_needs_compliance" in codes(refused)
    unsigned = put(carol, notebook, launch=wider)
    assert is_problem(unsigned, 403)
    assert codes(unsigned) == ["password_required"]
    mistyped = put(carol, notebook, launch=wider, password="guess")
    assert mistyped.json()["code"] == "wrong_password"
    signed = put(carol, notebook, launch=wider, password=PASSWORD)
    assert signed.json()["launch"]["people"] == wider


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"launch": ["ghost"]}, "launch"),
        ({"source": 5}, "source"),
        ({"launch": {"people": ["ada"], "robots": []}}, "launch"),
        ({"run": ["ada"]}, "run"),
        ({"edit": ["ghost"]}, "edit"),
        ({"edit": "ada"}, "edit"),
        ({"review": ["ghost"]}, "review"),
    ],
)
def test_a_malformed_audience_is_400(
    body: dict[str, Any], field: str, ada: User
) -> None:
    answer = put(ada, make_version().notebook, **body)
    assert is_problem(answer, 400)
    assert fields(answer) == [field]


def test_a_reader_does_not_set_access(adams: User) -> None:
    answer = put(adams, make_version(Status.APPROVED).notebook, launch=["adams"])
    assert is_problem(answer, 403)
    assert codes(answer) == ["not_a_contributor"]


def test_comments_are_written_listed_and_resolved_once(ada: User, ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    cell = document(version)["cells"][1]["id"]
    path = f"notebooks/{version.notebook.slug}/versions/1/comments/"
    written = post(as_person(ravi), path, body="Units?", cell_id=cell, line=2)
    assert written.status_code == 201
    told = as_person(ada).get(f"{V1}/{path}").json()
    assert told["count"] == 1
    assert told["results"][0] == written.json()
    assert told["results"][0]["printed_name"] == "Ravi Menon"
    resolve = f"{path}{written.json()['id']}/resolve/"
    assert post(as_person(ada), resolve).json()["resolved_by"] == "ada"
    assert is_problem(post(as_person(ravi), resolve), 409)


def test_a_comment_of_another_version_is_not_found(ravi: User) -> None:
    first = make_version(Status.IN_REVIEW)
    second = make_version(Status.IN_REVIEW, title="Another")
    written = post(
        as_person(ravi),
        f"notebooks/{first.notebook.slug}/versions/1/comments/",
        body="Here",
    ).json()
    elsewhere = f"notebooks/{second.notebook.slug}/versions/1/comments/"
    answer = post(as_person(ravi), f"{elsewhere}{written['id']}/resolve/")
    assert is_problem(answer, 404)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"body": " "}, "body"),
        ({"body": "x" * 5001}, "body"),
        ({"body": "x", "line": 0}, "line"),
        ({"body": "x", "line": 2**31}, "line"),
        ({"body": "x", "cell_id": "nowhere"}, "cell_id"),
        ({"body": "x", "to": "ada"}, "to"),
    ],
)
def test_a_malformed_comment_is_400(
    body: dict[str, Any], field: str, ravi: User
) -> None:
    version = make_version(Status.IN_REVIEW)
    path = f"notebooks/{version.notebook.slug}/versions/1/comments/"
    answer = post(as_person(ravi), path, **body)
    assert is_problem(answer, 400)
    assert fields(answer) == [field]


def test_readers_neither_read_nor_write_comments(adams: User) -> None:
    version = make_version(Status.APPROVED)
    path = f"notebooks/{version.notebook.slug}/versions/1/comments/"
    assert is_problem(as_person(adams).get(f"{V1}/{path}"), 403)
    assert is_problem(post(as_person(adams), path, body="Hello"), 403)


def test_a_reviewer_to_whom_the_code_is_closed_has_no_part_in_its_comments(
    ada: User, ravi: User
) -> None:
    PersonaAssignment.objects.create(person=ravi, persona=Persona.LAB)
    notebook = make_version(Status.APPROVED).notebook
    path = f"notebooks/{notebook.slug}/versions/1/comments/"
    written = post(as_person(ada), path, body="Mind the join.").json()
    put(ada, notebook, source=["ada"])
    assert is_problem(post(as_person(ravi), path, body="Which join?"), 403)
    assert is_problem(post(as_person(ravi), f"{path}{written['id']}/resolve/"), 403)


def test_an_author_names_a_co_author_who_then_does_not_review(
    ada: User, ravi: User, petra: User
) -> None:
    version = make_version(Status.IN_REVIEW)
    answer = put(ada, version.notebook, edit=["ravi"], review=["petra"])
    assert answer.status_code == 200
    assert answer.json()["edit"] == ["ravi"]
    assert answer.json()["review"]["people"] == ["petra"]
    path = f"notebooks/{version.notebook.slug}/versions/1/reviews/"
    body = {"decision": "approve", "password": PASSWORD}
    refused = post(as_person(ravi), path, **body)
    assert is_problem(refused, 403)
    assert set(codes(refused)) == {"own_work", "not_a_named_reviewer"}
    assert post(as_person(petra), path, **body).status_code == 201


def test_the_page_takes_co_authors_and_reviewers(ada: User, ravi: User) -> None:
    notebook = make_version().notebook
    client = Client()
    client.force_login(ada)
    path = f"/notebooks/{notebook.slug}/access/"
    page = client.get(path).content.decode()
    assert "Who may edit it" in page
    assert "Who may review it" in page
    sent = {
        "launch": "everyone",
        "source": "everyone",
        "review": "everyone",
        "edit": ["ravi"],
    }
    assert client.post(path, sent).status_code == 302
    assert co_authors(notebook) == ("ravi",)
