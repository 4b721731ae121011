"""The API of a version's code: its bytes, its difference to another version."""

import pytest

from accounts.models import User
from gallery.workflow import Status
from tests.api import V1, as_person, codes, is_problem
from tests.factories.gallery import as_data, make_version

pytestmark = pytest.mark.django_db


def path(slug: str, number: int, name: str) -> str:
    return f"{V1}/notebooks/{slug}/versions/{number}/{name}/"


def test_the_stored_bytes_come_as_a_download(ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    answer = as_person(ravi).get(path(version.notebook.slug, 1, "ipynb"))
    assert answer.status_code == 200
    assert answer.content == bytes(version.document)
    assert as_data(answer.content)["nbformat"] == 4
    assert answer["Content-Disposition"] == (
        'attachment; filename="prescription-trends-v1.ipynb"'
    )
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("accept", ["*/*", "text/html", "application/x-ipynb+json"])
def test_the_bytes_come_whatever_the_client_accepts(accept: str, ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    answer = as_person(ravi).get(
        path(version.notebook.slug, 1, "ipynb"), headers={"Accept": accept}
    )
    assert answer.status_code == 200


def test_who_may_run_it_does_not_read_its_code(adams: User) -> None:
    version = make_version(Status.APPROVED)
    for name in ("ipynb", "diff"):
        refused = as_person(adams).get(path(version.notebook.slug, 1, name))
        assert is_problem(refused, 403)
        assert codes(refused) == ["no_source_access"]


def test_a_draft_is_its_authors_alone(ada: User, ravi: User, adams: User) -> None:
    slug = make_version().notebook.slug
    assert as_person(ada).get(path(slug, 1, "ipynb")).status_code == 200
    for other in (ravi, adams):
        assert is_problem(as_person(other).get(path(slug, 1, "ipynb")), 404)


def test_a_version_is_compared_with_the_last_approved_one(ravi: User) -> None:
    approved = make_version(Status.APPROVED)
    newer = make_version(Status.IN_REVIEW, notebook=approved.notebook)
    answer = as_person(ravi).get(path(newer.notebook.slug, 2, "diff")).json()
    assert (answer["from_number"], answer["to_number"]) == (1, 2)
    assert {"same", "changed"} <= {cell["kind"] for cell in answer["cells"]}


def test_a_first_version_has_nothing_to_be_compared_with(ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    answer = as_person(ravi).get(path(version.notebook.slug, 1, "diff")).json()
    assert answer == {"from_number": None, "to_number": 1, "cells": []}


@pytest.mark.parametrize(
    ("older", "status"),
    [("1", 200), ("9", 404), ("0", 400), ("x", 400), ("9999999999", 400)],
)
def test_the_older_version_is_chosen_by_its_number(
    older: str, status: int, ada: User
) -> None:
    first = make_version(Status.IN_REVIEW)
    make_version(notebook=first.notebook)
    answer = as_person(ada).get(path(first.notebook.slug, 2, "diff"), {"from": older})
    assert answer.status_code == status


def test_a_version_number_beyond_all_integers_is_not_found(ada: User) -> None:
    slug = make_version().notebook.slug
    assert is_problem(as_person(ada).get(path(slug, 10**30, "ipynb")), 404)
