"""The API of notebooks and versions: upload, list, show."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from gallery.models import Notebook, Version
from gallery.workflow import Status
from tests.api import V1, as_person, codes, fields, is_problem
from tests.factories.gallery import ipynb, make_notebook, make_version, review

pytestmark = pytest.mark.django_db

NOTEBOOKS = f"{V1}/notebooks/"


def file(data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile("trends.ipynb", ipynb() if data is None else data)


def upload(by: User, **fields: Any) -> Any:
    sent = {"title": "Prescription trends", "description": "Counts.", "file": file()}
    return as_person(by).post(NOTEBOOKS, sent | fields, format="multipart")


def test_an_author_uploads_a_notebook_whose_first_version_is_a_draft(
    ada: User,
) -> None:
    answer = upload(ada, tags=["Drugs, Trends", "monthly"])
    assert answer.status_code == 201
    body = answer.json()
    assert body["slug"] == "prescription-trends"
    assert body["tags"] == ["drugs", "monthly", "trends"]
    assert body["language"] == "python"
    (version,) = body["versions"]
    assert (version["number"], version["status"]) == (1, "draft")
    assert version["digest"] == Version.objects.get().digest
    assert set(version["parameters"]["properties"]) == {"drug", "months"}
    assert version["environment"] == "python-analytics"
    assert version["created_by"] == "ada"
    assert version["reviews"] == version["sign_offs"] == version["blockers"] == []
    assert isinstance(version["findings"], list)


@pytest.mark.parametrize("name", ["ravi", "carol", "adams", "otto", "iris", "nora"])
def test_only_authors_upload(name: str, request: pytest.FixtureRequest) -> None:
    answer = upload(request.getfixturevalue(name))
    assert is_problem(answer, 403)
    assert codes(answer) == ["not_an_author"]
    assert not Notebook.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"file": file(b"{")}, "file"),
        ({"file": file(b"")}, "file"),
        ({"environment": "fortran"}, "environment"),
        ({"manifest": "{"}, "manifest"),
        ({"manifest": '{"tables": {"patients": ["x"]}}'}, "manifest"),
        ({"limits": '{"wall_clock_s": 86400}'}, "limits"),
        ({"colour": "red"}, "colour"),
        ({"tags": ["x" * 41]}, "tags"),
    ],
)
def test_an_upload_that_cannot_be_used_is_400_and_names_the_field(
    wrong: dict[str, Any], field: str, ada: User
) -> None:
    answer = upload(ada, **wrong)
    assert is_problem(answer, 400)
    assert fields(answer) == [field]
    assert not Notebook.objects.exists()


def test_an_upload_without_a_file_is_400(ada: User) -> None:
    answer = as_person(ada).post(NOTEBOOKS, {"title": "T"}, format="multipart")
    assert is_problem(answer, 400)
    assert fields(answer) == ["file"]


@pytest.mark.parametrize("size", [10_000_001, 12_500_000])
def test_a_file_above_ten_megabytes_is_413(size: int, ada: User) -> None:
    answer = upload(ada, file=file(b" " * size))
    assert is_problem(answer, 413)
    assert not Notebook.objects.exists()


def test_a_declared_manifest_is_kept(ada: User) -> None:
    manifest = '{"tables": {"clinic.prescriptions": ["drug"]}}'
    (version,) = upload(ada, manifest=manifest).json()["versions"]
    assert version["manifest"] == {"tables": {"clinic.prescriptions": ["drug"]}}


def test_the_limits_asked_for_are_answered(ada: User) -> None:
    (version,) = upload(ada, limits='{"wall_clock_s": 1800}').json()["versions"]
    assert version["limits"] == {"wall_clock_s": 1800}


def test_the_next_version_is_a_draft_and_leaves_the_old_one_alone(ada: User) -> None:
    approved = make_version(Status.APPROVED)
    answer = as_person(ada).post(
        f"{NOTEBOOKS}{approved.notebook.slug}/versions/",
        {"file": file(ipynb("print(2)")), "summary": "Two"},
        format="multipart",
    )
    assert answer.status_code == 201
    body = answer.json()
    assert (body["number"], body["status"], body["summary"]) == (2, "draft", "Two")
    shown = as_person(ada).get(f"{NOTEBOOKS}{approved.notebook.slug}/").json()
    assert [(v["number"], v["status"]) for v in shown["versions"]] == [
        (1, "approved"),
        (2, "draft"),
    ]


def test_somebody_else_uploads_no_version(ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    answer = as_person(ravi).post(
        f"{NOTEBOOKS}{version.notebook.slug}/versions/",
        {"file": file(), "summary": "Mine"},
        format="multipart",
    )
    assert is_problem(answer, 403)
    assert set(codes(answer)) == {"not_an_author", "not_a_contributor"}
    assert version.notebook.versions.count() == 1


@pytest.mark.parametrize(
    ("status", "seen_by"),
    [
        (Status.DRAFT, {"ada"}),
        (Status.IN_REVIEW, {"ada", "ravi", "petra", "carol", "chen", "iris"}),
        (
            Status.APPROVED,
            {"ada", "ravi", "petra", "carol", "chen", "iris"}
            | {"adams", "baker", "helen", "bill", "lena"},
        ),
        (Status.REVOKED, {"ada", "ravi", "petra", "carol", "chen", "iris"}),
    ],
)
def test_who_may_not_see_a_notebook_finds_nothing(
    status: Status, seen_by: set[str], request: pytest.FixtureRequest
) -> None:
    slug = make_version(status).notebook.slug
    names = "ada ravi petra carol chen adams baker helen bill lena otto iris nora"
    seen = set()
    for name in names.split():
        client = as_person(request.getfixturevalue(name))
        shown = client.get(f"{NOTEBOOKS}{slug}/")
        listed = client.get(NOTEBOOKS).json()
        assert shown.status_code in {200, 404}
        assert (shown.status_code == 200) is (listed["count"] == 1)
        if shown.status_code == 200:
            seen.add(name)
        else:
            assert is_problem(shown, 404)
    assert seen == seen_by


def test_a_reader_sees_the_approved_version_without_what_quotes_the_code(
    adams: User,
) -> None:
    approved = make_version(Status.APPROVED)
    make_version(Status.IN_REVIEW, notebook=approved.notebook)
    body = as_person(adams).get(f"{NOTEBOOKS}{approved.notebook.slug}/").json()
    (version,) = body["versions"]
    assert version["number"] == 1
    assert version["findings"] is version["tables_read"] is version["removed"] is None
    assert [review["comment"] for review in version["reviews"]] == [None, None]
    (signed,) = version["sign_offs"]
    assert signed["printed_name"] == "Carol Jensen"
    assert signed["meaning"] == "Signed off for compliance"
    assert signed["signed_at"].startswith("2026-03-02T09:00:00")


def test_a_version_says_what_keeps_the_caller_from_the_next_step(
    ada: User, ravi: User, petra: User, carol: User, iris: User
) -> None:
    version = make_version(Status.IN_REVIEW)
    review(version, ravi)
    path = f"{NOTEBOOKS}{version.notebook.slug}/versions/1/"
    reasons = {
        person.username: [
            blocker["code"]
            for blocker in as_person(person).get(path).json()["blockers"]
        ]
        for person in (ada, ravi, petra, carol, iris)
    }
    assert reasons == {
        "ada": ["not_a_reviewer", "own_work"],
        "ravi": ["already_signed"],
        "petra": [],
        "carol": ["peer_quorum_missing"],
        "iris": ["not_a_reviewer"],
    }


@pytest.mark.parametrize("status", sorted(Status))
def test_every_state_of_a_version_is_shown(status: Status, ada: User) -> None:
    version = make_version(status)
    answer = as_person(ada).get(
        f"{NOTEBOOKS}{version.notebook.slug}/versions/{version.number}/"
    )
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == status
    assert len(body["fingerprint"]) == 64
    ended = {"changes_requested", "withdrawn", "revoked", "expired", "superseded"}
    told = [blocker["code"] for blocker in body["blockers"]]
    assert (told == ["ended"]) is (status in ended)


def test_the_list_is_searched_filtered_ordered_and_paginated(ada: User) -> None:
    for title in ("Lab turnaround", "Department occupancy", "Billing ageing"):
        make_notebook(title=title, description="", tags=[title.split()[0]])
    client = as_person(ada)

    def titles(**query: object) -> list[str]:
        return [row["title"] for row in client.get(NOTEBOOKS, query).json()["results"]]

    assert titles() == ["Billing ageing", "Department occupancy", "Lab turnaround"]
    assert titles(ordering="-title")[0] == "Lab turnaround"
    assert titles(q="turnaround") == ["Lab turnaround"]
    assert titles(q="occupency") == ["Department occupancy"]
    assert titles(tag="billing") == ["Billing ageing"]
    assert titles(language="bash") == []
    assert titles(state="draft", mine="true") == titles()
    page = client.get(NOTEBOOKS, {"page": 2, "page_size": 2}).json()
    assert (page["count"], page["next"]) == (3, None)
    assert page["previous"].endswith(f"{NOTEBOOKS}?page_size=2")
    assert [row["title"] for row in page["results"]] == ["Lab turnaround"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"ordering": "digest"}, 400),
        ({"state": "lost"}, 400),
        ({"q": "\x00"}, 400),
        ({"q": "x" * 501}, 400),
        ({"page": 99}, 404),
        ({"page": "x"}, 404),
        ({"q": "a & | ! ( '"}, 200),
    ],
)
def test_a_malformed_query_is_told_not_crashed_on(
    query: dict[str, object], status: int, ada: User
) -> None:
    make_notebook()
    assert as_person(ada).get(NOTEBOOKS, query).status_code == status


def test_the_list_costs_the_same_queries_however_long(ada: User) -> None:
    client = as_person(ada)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(NOTEBOOKS).status_code == 200
        return len(queries)

    make_version(Status.APPROVED)
    cost()
    one = cost()
    for _ in range(3):
        make_version(Status.APPROVED)
    assert cost() == one


def test_the_entry_is_changed_by_its_authors_alone(ada: User, ravi: User) -> None:
    version = make_version(Status.IN_REVIEW)
    path = f"{NOTEBOOKS}{version.notebook.slug}/"
    change = {"description": "By drug and month."}
    refused = as_person(ravi).patch(path, change, format="json")
    assert is_problem(refused, 403)
    changed = as_person(ada).patch(path, change, format="json")
    assert changed.json()["description"] == "By drug and month."
    assert changed.json()["title"] == "Prescription trends"
    assert as_person(ada).patch(path, {"slug": "x"}, format="json").status_code == 400


def test_an_upload_needs_the_csrf_token(ada: User) -> None:
    answer = as_person(ada, csrf=True).post(
        NOTEBOOKS, {"title": "T", "file": file()}, format="multipart"
    )
    assert is_problem(answer, 403)
    assert not Notebook.objects.exists()


def test_nobody_signed_in_is_401(client: Any, db: None) -> None:
    answer = client.get(NOTEBOOKS)
    assert is_problem(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Session")
