"""The API of runs: ask, look, list, cancel, download."""

import uuid
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from gallery.models import Version
from gallery.workflow import Status as VersionStatus
from runner.models import Run, RunKind, RunResult
from runner.results import vault
from runner.results.expiry import expire_results
from runner.workflow import FINAL, Status
from tests.api import V1, as_person, codes, fields, is_problem, post
from tests.factories.gallery import NOW, make_version
from tests.factories.runs import HTML, NOTEBOOK, make_run

pytestmark = pytest.mark.django_db

SHAPE = {
    "id",
    "notebook",
    "version",
    "digest",
    "status",
    "persona",
    "parameters",
    "cells_done",
    "cells_total",
    "queued_at",
    "started_at",
    "finished_at",
    "error",
}


@pytest.fixture
def approved(ada: User) -> Version:
    return make_version(VersionStatus.APPROVED)


def launch(by: User, version: Version, /, **body: Any) -> Any:
    return post(as_person(by), f"notebooks/{version.notebook.slug}/runs/", **body)


@pytest.mark.usefixtures("data_cluster")
class TestLaunching:
    """With a data source that takes tickets."""

    def test_a_run_is_queued_and_answered_202(
        self, approved: Version, adams: User
    ) -> None:
        answer = launch(adams, approved, parameters={"months": 6})
        assert answer.status_code == 202
        body = answer.json()
        assert set(body) >= SHAPE
        assert (body["status"], body["kind"], body["persona"]) == (
            "queued",
            "run",
            "doctor",
        )
        assert body["notebook"] == approved.notebook.slug
        assert (body["version"], body["digest"]) == (1, approved.digest)
        assert body["parameters"] == {"months": 6}
        assert (body["cells_done"], body["cells_total"]) == (0, 3)
        assert body["started_at"] is body["finished_at"] is body["error"] is None
        assert Run.objects.get().requested_by == adams

    def test_of_several_personas_one_must_be_chosen(
        self, approved: Version, helen: User
    ) -> None:
        undecided = launch(helen, approved)
        assert is_problem(undecided, 400)
        assert fields(undecided) == ["persona"]
        chosen = launch(helen, approved, persona="department_head")
        assert chosen.json()["persona"] == "department_head"
        assert chosen.json()["purpose"] == "operations"

    def test_the_sessions_active_persona_is_used(
        self, approved: Version, helen: User
    ) -> None:
        client = as_person(helen)
        assert post(client, "personas/", active="doctor").status_code == 200
        answer = post(client, f"notebooks/{approved.notebook.slug}/runs/")
        assert answer.json()["persona"] == "doctor"

    def test_a_persona_that_is_not_held_is_403(
        self, approved: Version, adams: User
    ) -> None:
        refused = launch(adams, approved, persona="billing")
        assert is_problem(refused, 403)
        assert codes(refused) == ["persona_not_held"]
        assert not Run.objects.exists()

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"parameters": {"months": "many"}}, "months"),
            ({"parameters": {"month": 1}}, "month"),
            ({"parameters": []}, "parameters"),
            ({"parameters": None}, "parameters"),
            ({"persona": "wizard"}, "persona"),
            ({"purpose": "curiosity"}, "purpose"),
            ({"version": "one"}, "version"),
            ({"version": 0}, "version"),
            ({"version": 2**40}, "version"),
            ({"params": {}}, "params"),
        ],
    )
    def test_a_malformed_request_is_400_and_names_the_field(
        self, body: dict[str, Any], field: str, approved: Version, adams: User
    ) -> None:
        answer = launch(adams, approved, **body)
        assert is_problem(answer, 400)
        assert fields(answer) == [field]
        assert not Run.objects.exists()

    def test_another_version_than_the_approved_one_is_409(
        self, approved: Version, ada: User
    ) -> None:
        make_version(notebook=approved.notebook)
        refused = launch(ada, approved, version=2)
        assert is_problem(refused, 409)
        assert codes(refused) == ["version_replaced"]

    def test_who_holds_no_persona_is_403(self, approved: Version, ravi: User) -> None:
        refused = launch(ravi, approved)
        assert is_problem(refused, 403)
        assert codes(refused) == ["no_persona"]

    def test_who_sees_nothing_is_404(
        self, approved: Version, nora: User, adams: User
    ) -> None:
        assert is_problem(launch(nora, approved), 404)
        assert is_problem(launch(adams, make_version(VersionStatus.IN_REVIEW)), 404)

    def test_reviewers_preview_on_invented_people_as_any_persona(
        self, ravi: User
    ) -> None:
        version = make_version(VersionStatus.IN_REVIEW)
        path = f"notebooks/{version.notebook.slug}/versions/1/previews/"
        answer = post(as_person(ravi), path, parameters={}, persona="doctor")
        assert answer.status_code == 202
        assert answer.json()["kind"] == "preview"
        without = post(as_person(ravi), path, parameters={})
        assert is_problem(without, 400)
        assert fields(without) == ["persona"]

    def test_an_approved_version_is_not_previewed(
        self, approved: Version, adams: User, ada: User
    ) -> None:
        path = f"notebooks/{approved.notebook.slug}/versions/1/previews/"
        refused = post(as_person(ada), path, persona="doctor")
        assert is_problem(refused, 409)
        refused = post(as_person(adams), path, persona="doctor")
        assert is_problem(refused, 403)


def test_runs_are_listed_newest_first_and_only_ones_own(
    approved: Version, adams: User, baker: User
) -> None:
    old = make_run(approved, adams, now=NOW)
    new = make_run(approved, adams, Status.SUCCEEDED)
    make_run(approved, baker)
    told = as_person(adams).get(f"{V1}/runs/").json()
    assert [row["id"] for row in told["results"]] == [str(new.pk), str(old.pk)]
    assert set(told["results"][0]) >= SHAPE
    queued = as_person(adams).get(f"{V1}/runs/", {"status": "queued"}).json()
    assert [row["id"] for row in queued["results"]] == [str(old.pk)]
    none = as_person(adams).get(f"{V1}/runs/", {"notebook": "other"}).json()
    assert none["count"] == 0
    assert as_person(adams).get(f"{V1}/runs/", {"status": "x"}).status_code == 400


@pytest.mark.parametrize("status", sorted(Status))
def test_every_state_of_a_run_is_shown_to_its_owner(
    status: Status, approved: Version, adams: User
) -> None:
    run = make_run(approved, adams, status)
    body = as_person(adams).get(f"{V1}/runs/{run.pk}/").json()
    assert body["status"] == status
    assert (body["finished_at"] is not None) is (status in FINAL)
    failed = status in FINAL - {Status.SUCCEEDED}
    assert (body["error"] is not None) is failed
    if failed:
        assert set(body["error"]) == {"code", "message", "cell"}
    started = FINAL - {Status.ACCESS_DENIED} | {Status.RUNNING}
    if status in started:
        assert body["cells"] == [{"index": 1, "status": "ok", "duration_ms": 12}]


@pytest.mark.parametrize("name", ["ada", "carol", "baker", "otto", "iris", "nora"])
def test_other_peoples_runs_do_not_exist(
    name: str, approved: Version, adams: User, request: pytest.FixtureRequest
) -> None:
    run = make_run(approved, adams, Status.SUCCEEDED)
    client = as_person(request.getfixturevalue(name))
    for path in ("", "ipynb/", "html/", "events/"):
        assert is_problem(client.get(f"{V1}/runs/{run.pk}/{path}"), 404)
    assert is_problem(post(client, f"runs/{run.pk}/cancel/"), 404)
    assert is_problem(client.get(f"{V1}/runs/{uuid.uuid4()}/"), 404)


def test_a_waiting_run_is_cancelled_at_once(approved: Version, adams: User) -> None:
    run = make_run(approved, adams)
    answer = post(as_person(adams), f"runs/{run.pk}/cancel/")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert answer.json()["error"]["code"] == "cancelled"
    again = post(as_person(adams), f"runs/{run.pk}/cancel/")
    assert is_problem(again, 409)
    assert codes(again) == ["already_finished"]


def test_a_running_run_is_asked_to_stop(approved: Version, adams: User) -> None:
    run = make_run(approved, adams, Status.RUNNING)
    answer = post(as_person(adams), f"runs/{run.pk}/cancel/")
    assert answer.json()["status"] == "running"
    run.refresh_from_db()
    assert run.cancel_requested_at is not None


def test_the_executed_notebook_is_a_download_and_a_recorded_look(
    approved: Version, adams: User
) -> None:
    run = make_run(approved, adams, Status.SUCCEEDED)
    answer = as_person(adams).get(f"{V1}/runs/{run.pk}/ipynb/")
    assert answer.status_code == 200
    assert answer.content == NOTEBOOK
    last = Event.objects.latest("seq")
    assert (last.action, last.actor) == ("result.downloaded", "adams")
    assert last.target_id == str(run.pk)


def test_the_rendered_result_says_whose_rights_it_shows(
    approved: Version, adams: User
) -> None:
    run = make_run(approved, adams, Status.SUCCEEDED)
    answer = as_person(adams).get(
        f"{V1}/runs/{run.pk}/html/", headers={"Accept": "text/html"}
    )
    assert answer.status_code == 200
    assert HTML in answer.content
    assert b"Dr Ruth Adams" in answer.content
    assert b"Carol Jensen" in answer.content


@pytest.mark.parametrize("name", ["ipynb", "html"])
def test_a_download_never_opens_in_place(
    name: str, approved: Version, adams: User
) -> None:
    run = make_run(approved, adams, Status.FAILED)
    answer = as_person(adams).get(f"{V1}/runs/{run.pk}/{name}/")
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "no-store"
    policy = answer["Content-Security-Policy"]
    assert policy == "sandbox; default-src 'none'"


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING])
def test_an_unfinished_run_has_no_result_yet(
    status: Status, approved: Version, adams: User
) -> None:
    run = make_run(approved, adams, status)
    refused = as_person(adams).get(f"{V1}/runs/{run.pk}/ipynb/")
    assert is_problem(refused, 409)
    assert codes(refused) == ["not_finished"]


def test_an_expired_result_is_gone(approved: Version, adams: User) -> None:
    run = make_run(approved, adams, Status.SUCCEEDED, now=NOW)
    assert expire_results(now=timezone.now()) == 1
    refused = as_person(adams).get(f"{V1}/runs/{run.pk}/html/")
    assert is_problem(refused, 409)
    assert codes(refused) == ["result_expired"]


def test_a_result_that_is_due_is_not_shown_though_nobody_swept_it_yet(
    approved: Version, adams: User
) -> None:
    run = make_run(approved, adams, Status.SUCCEEDED, now=NOW)
    refused = as_person(adams).get(f"{V1}/runs/{run.pk}/html/")
    assert is_problem(refused, 409)
    assert codes(refused) == ["result_expired"]


def test_a_result_that_was_moved_from_another_run_does_not_open(
    approved: Version, adams: User, baker: User
) -> None:
    mine = make_run(approved, adams, Status.SUCCEEDED)
    theirs = make_run(approved, baker, Status.SUCCEEDED)
    stolen = RunResult.objects.get(run=theirs).notebook
    RunResult.objects.filter(run=mine).update(notebook=stolen)
    looks = Event.objects.filter(action="result.downloaded").count()
    with pytest.raises(vault.Tampered):
        as_person(adams).get(f"{V1}/runs/{mine.pk}/ipynb/")
    assert Event.objects.filter(action="result.downloaded").count() == looks


def test_a_preview_belongs_to_who_asked_for_it(ravi: User, ada: User) -> None:
    version = make_version(VersionStatus.IN_REVIEW)
    run = make_run(version, ravi, Status.SUCCEEDED, kind=RunKind.PREVIEW)
    assert as_person(ravi).get(f"{V1}/runs/{run.pk}/ipynb/").status_code == 200
    assert is_problem(as_person(ada).get(f"{V1}/runs/{run.pk}/ipynb/"), 404)
