"""The API of what a run left: its tables; and asking for the same again."""

import csv
import io
import json
from typing import Any

import pytest

from accounts.models import User
from audit.models import Event
from gallery.models import Version
from gallery.workflow import Status as VersionStatus
from runner.models import Run, RunKind
from runner.workflow import Status
from tests.api import V1, as_person, codes, fields, is_problem, post
from tests.factories import runs
from tests.factories.gallery import NOW, make_version
from tests.factories.runs import make_run
from tests.runner.results.notebooks import code, html, notebook

pytestmark = pytest.mark.django_db
TABLES = html(
    "<table><caption>Wards</caption><tr><th>ward</th><th>beds</th></tr>"
    "<tr><td>=A1</td><td>-2</td></tr></table><table><tr><td>1</td></tr></table>"
)


@pytest.fixture
def approved(ada: User) -> Version:
    return make_version(VersionStatus.APPROVED)


@pytest.fixture
def run(approved: Version, adams: User, monkeypatch: Any) -> Run:
    """Adams' run, whose notebook showed two tables."""
    made = json.dumps(notebook(code(TABLES))).encode()
    monkeypatch.setattr(runs, "NOTEBOOK", made)
    return make_run(approved, adams, Status.SUCCEEDED)


def test_tables_are_listed_and_each_comes_as_csv(run: Run, adams: User) -> None:
    client = as_person(adams)
    listed = client.get(f"{V1}/runs/{run.pk}/tables/").json()
    assert listed["count"] == 2
    assert listed["results"][0] == {
        "number": 1,
        "caption": "Wards",
        "header": ["ward", "beds"],
        "rows": 1,
        "shortened": False,
    }
    answer = client.get(f"{V1}/runs/{run.pk}/tables/1.csv", HTTP_ACCEPT="text/csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    text = answer.content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows == [["ward", "beds"], ["'=A1", "-2"]]
    formats = Event.objects.filter(action="result.downloaded").order_by("seq")
    assert [event.data["format"] for event in formats] == [
        "list of tables",
        "csv of table 1",
    ]


@pytest.mark.parametrize("number", [0, 3])
def test_a_table_that_is_not_there_is_404(run: Run, adams: User, number: int) -> None:
    answer = as_person(adams).get(f"{V1}/runs/{run.pk}/tables/{number}.csv")
    assert is_problem(answer, 404)


@pytest.mark.security
@pytest.mark.parametrize("page", ["tables/", "tables/1.csv"])
def test_nobody_else_sees_the_tables(run: Run, baker: User, page: str) -> None:
    answer = as_person(baker).get(f"{V1}/runs/{run.pk}/{page}")
    assert is_problem(answer, 404)
    assert not Event.objects.filter(action="result.downloaded").exists()


@pytest.mark.parametrize("page", ["tables/", "tables/1.csv"])
def test_an_expired_result_has_no_tables(
    approved: Version, adams: User, page: str
) -> None:
    run = make_run(approved, adams, Status.SUCCEEDED, now=NOW)
    answer = as_person(adams).get(f"{V1}/runs/{run.pk}/{page}")
    assert is_problem(answer, 409)
    assert codes(answer) == ["result_expired"]


def test_a_run_is_asked_for_again(
    approved: Version, helen: User, data_cluster: Any
) -> None:
    before = make_run(
        approved,
        helen,
        Status.FAILED,
        persona="department_head",
        purpose="research",
        parameters={"months": 9},
    )
    answer = post(as_person(helen), f"runs/{before.pk}/repeat/")
    assert answer.status_code == 202
    told = answer.json()
    assert told["id"] != str(before.pk)
    assert (told["persona"], told["purpose"]) == ("department_head", "research")
    assert told["parameters"] == {"months": 9}
    assert Event.objects.latest("seq").action == "run.requested"


def test_a_preview_is_asked_for_again_as_a_preview(
    ravi: User, data_cluster: Any
) -> None:
    version = make_version(VersionStatus.IN_REVIEW)
    before = make_run(version, ravi, Status.FAILED, kind=RunKind.PREVIEW)
    told = post(as_person(ravi), f"runs/{before.pk}/repeat/").json()
    assert (told["kind"], told["status"]) == ("preview", "queued")


def test_what_no_longer_fits_is_400_and_named(approved: Version, adams: User) -> None:
    before = make_run(approved, adams, Status.FAILED, parameters={"weeks": 2})
    answer = post(as_person(adams), f"runs/{before.pk}/repeat/")
    assert is_problem(answer, 400)
    assert fields(answer) == ["weeks"]
    assert Run.objects.count() == 1


@pytest.mark.security
def test_a_run_of_another_or_of_nothing_approved_is_not_repeated(
    approved: Version, adams: User, baker: User
) -> None:
    before = make_run(approved, adams, Status.SUCCEEDED)
    assert is_problem(post(as_person(baker), f"runs/{before.pk}/repeat/"), 404)
    Version.objects.filter(pk=approved.pk).update(
        status=VersionStatus.REVOKED, ended_at=NOW
    )
    answer = post(as_person(adams), f"runs/{before.pk}/repeat/")
    assert is_problem(answer, 409)
    assert codes(answer) == ["not_approved"]
    sent = post(as_person(adams), f"runs/{before.pk}/repeat/", parameters={"months": 1})
    assert is_problem(sent, 400)
    assert Run.objects.count() == 1
