"""The API of what was done in a live session."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from gallery.models import Version
from runner.models import Run
from runner.results.expiry import expire_results
from tests.api import V1, as_person, codes, is_problem
from tests.runner.launching import approved
from tests.runner.recorded import DAYS, MAP, NOTE, entry, recorded_run, says, shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(ada: User) -> Version:
    return approved("IntSlider(description='Days')")


@pytest.fixture
def run(version: Version, adams: User) -> Run:
    return recorded_run(version, adams, entry(DAYS, value=8), entry(NOTE, value="Ruth"))


def test_its_person_lists_what_was_done(run: Run, adams: User) -> None:
    answer = as_person(adams).get(f"{V1}/runs/{run.pk}/record/").json()
    assert (answer["count"], answer["next"]) == (2, None)
    assert answer["results"][0] == {
        "number": 1,
        "at": "2026-03-02T10:00:05Z",
        "control": DAYS,
        "kind": "Slider",
        "name": "Days",
        "changes": [
            {
                "trait": "value",
                "deed": "Set to",
                "value": "8",
                "keeping": "kept",
                "size_bytes": None,
            }
        ],
    }


@pytest.mark.security
def test_an_auditor_is_told_no_value(run: Run, iris: User) -> None:
    answer = as_person(iris).get(f"{V1}/runs/{run.pk}/record/").json()
    told = [(each["name"], each["changes"][0]) for each in answer["results"]]
    assert [(name, change["value"]) for name, change in told] == [
        ("Days", ""),
        ("", ""),
    ]
    assert {change["keeping"] for _, change in told} == {"not_yours"}
    assert [each["control"] for each in answer["results"]] == ["control 1", "control 2"]
    assert Event.objects.filter(action="record.read", actor="iris").count() == 1


@pytest.mark.security
def test_an_auditor_is_told_no_name_that_code_or_a_page_chose(
    version: Version, adams: User, iris: User
) -> None:
    chosen = {"comm_id": "CANARY", "module": "CANARY", "model": "CANARY"}
    run = recorded_run(version, adams, {**entry(MAP, CANARY=1), **chosen})
    path = f"{V1}/runs/{run.pk}/record/"
    assert "CANARY" in body(as_person(adams).get(path))
    answer = as_person(iris).get(path)
    assert "CANARY" not in body(answer)
    [told] = answer.json()["results"]
    assert told["kind"] == "A control of another library"
    assert told["changes"][0]["trait"] == "a trait"


def test_it_comes_in_pages(version: Version, adams: User) -> None:
    many = [entry(DAYS, value=value) for value in range(7)]
    run = recorded_run(version, adams, *many)
    answer = as_person(adams).get(f"{V1}/runs/{run.pk}/record/?page=2&page_size=3")
    assert [each["number"] for each in answer.json()["results"]] == [4, 5, 6]


def test_an_erased_record_is_409(run: Run, adams: User) -> None:
    expire_results(now=timezone.now() + timedelta(days=settings.RESULT_RETENTION_DAYS))
    answer = as_person(adams).get(f"{V1}/runs/{run.pk}/record/")
    assert is_problem(answer, 409)
    assert codes(answer) == ["record_expired"]


@pytest.mark.security
@pytest.mark.parametrize("who", ["baker", "carol", "otto", "ada"])
def test_for_everybody_else_there_is_nothing(
    run: Run, who: str, request: pytest.FixtureRequest
) -> None:
    client = as_person(request.getfixturevalue(who))
    assert is_problem(client.get(f"{V1}/runs/{run.pk}/record/"), 404)


@pytest.fixture
def replayable(version: Version, adams: User) -> Run:
    changes = [shown(step, "append", output=says(f"page {step}")) for step in (0, 1)]
    return recorded_run(version, adams, entry(DAYS, value=8), changes=changes)


def test_a_step_comes_as_a_page_to_be_kept(replayable: Run, adams: User) -> None:
    client, path = as_person(adams), f"{V1}/runs/{replayable.pk}/replay/"
    first, last = client.get(path), client.get(f"{path}?step=1")
    assert ("page 0" in body(first), "page 1" in body(first)) == (True, False)
    assert "page 1" in body(last)
    assert last["Content-Disposition"].startswith("attachment")
    assert last["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert "only the rows" in body(last)
    looks = Event.objects.filter(action="record.replayed").order_by("seq")
    assert [each.data["step"] for each in looks] == [0, 1]


@pytest.mark.parametrize(("step", "status"), [("2", 409), ("-1", 400), ("x", 400)])
def test_a_step_that_is_none_is_refused(
    replayable: Run, adams: User, step: str, status: int
) -> None:
    path = f"{V1}/runs/{replayable.pk}/replay/?step={step}"
    assert is_problem(as_person(adams).get(path), status)


@pytest.mark.security
def test_an_auditor_is_refused_a_real_page(replayable: Run, iris: User) -> None:
    answer = as_person(iris).get(f"{V1}/runs/{replayable.pk}/replay/")
    assert is_problem(answer, 403)
    assert codes(answer) == ["not_yours_to_see"]


def body(answer: HttpResponse) -> str:
    return answer.content.decode()
