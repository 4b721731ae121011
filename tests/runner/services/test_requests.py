"""Requesting and cancelling: every refusal, the ticket, the race with a revocation."""

import json
import threading

import psycopg
import pytest
from django.db import connections
from django.utils import timezone

from accounts.models import User
from accounts.policies import BadInput, NotAllowed, Unavailable
from audit.models import Event
from gallery.models import Version
from runner.kernelhost.cells import executes
from runner.models import DataSourceCheck, Run, RunKind
from runner.services import Launch, cancel_run, request_preview, request_run
from runner.services.lifecycle import claim_run
from tests.gallery.notebooks import code
from tests.rows import set_status
from tests.runner.launching import approved, launch, version_of
from tests.support.data import DataCluster

pytestmark = pytest.mark.usefixtures("committed_db", "data_cluster")


@pytest.fixture
def version() -> Version:
    return approved("1", parameters='drug: str = "Metformin"\nlimit: int')


GOOD = {"limit": 5}


def codes(refused: pytest.ExceptionInfo[NotAllowed]) -> list[str]:
    return [blocker.code for blocker in refused.value.blockers]


def fields(refused: pytest.ExceptionInfo[BadInput]) -> list[str]:
    return [error.field for error in refused.value.errors]


def test_a_run_is_queued_with_what_was_asked(version: Version, adams: User) -> None:
    run = launch(version, adams, parameters=GOOD)
    assert (run.status, run.persona, run.purpose) == ("queued", "doctor", "treatment")
    assert run.parameters == GOOD
    assert "limit = 5" in run.injected_source
    assert run.digest == version.digest


def test_the_event_names_parameters_and_no_values(
    version: Version, adams: User
) -> None:
    run = launch(version, adams, parameters={"limit": 5, "drug": "CANARY-9"})
    event = Event.objects.get(action="run.requested", target_id=str(run.pk))
    assert event.data["parameters"] == ["drug", "limit"]
    assert "CANARY-9" not in str(event.payload)


def test_the_event_stays_small_whatever_the_parameters_are_called(adams: User) -> None:
    names = [f"{'a' * 96}_{number:02}" for number in range(50)]
    version = approved("1", parameters="".join(f"{name} = 1\n" for name in names))
    run = launch(version, adams, parameters=dict.fromkeys(names, 2))
    event = Event.objects.get(action="run.requested", target_id=str(run.pk))
    assert event.data["parameter_count"] == 50
    assert event.data["parameters"][0] == f"{'a' * 40}…"


def test_only_cells_that_are_executed_are_counted(adams: User) -> None:
    version = version_of("1", "  \n")
    document = json.loads(bytes(version.document))
    document["cells"].append(code("2", tags=["skip-execution"]))
    assert [executes(cell, live=False) for cell in document["cells"]] == [
        True,
        False,
        False,
    ]
    run = launch(approved("1", "  \n"), adams)
    assert run.cells_total == 1


def test_the_ticket_lies_in_the_real_source(
    version: Version, adams: User, data_cluster: DataCluster
) -> None:
    run = launch(version, adams, parameters=GOOD)
    with psycopg.connect(data_cluster.hospital_owner_dsn) as owner:
        row = owner.execute(
            "SELECT username, persona, version_digest, kind FROM countersign.tickets "
            "WHERE run_id = %s",
            [run.pk],
        ).fetchone()
    assert row == ("adams", "doctor", version.digest, "run")


def test_a_missing_parameter_is_named(version: Version, adams: User) -> None:
    with pytest.raises(BadInput) as refused:
        launch(version, adams, parameters={})
    assert fields(refused) == ["limit"]


def test_an_unknown_parameter_is_named(version: Version, adams: User) -> None:
    with pytest.raises(BadInput) as refused:
        launch(version, adams, parameters={"limit": 1, "import os": 2})
    assert not Run.objects.exists()
    assert fields(refused)


def test_somebody_with_two_personas_must_choose(version: Version, helen: User) -> None:
    with pytest.raises(BadInput) as refused:
        launch(version, helen, parameters=GOOD)
    assert fields(refused) == ["persona"]


def test_a_persona_not_held_is_refused(version: Version, adams: User) -> None:
    with pytest.raises(NotAllowed) as refused:
        launch(version, adams, parameters=GOOD, persona="billing")
    assert codes(refused) == ["persona_not_held"]


def test_an_unknown_purpose_is_named(version: Version, adams: User) -> None:
    with pytest.raises(BadInput) as refused:
        launch(version, adams, parameters=GOOD, purpose="curiosity")
    assert fields(refused) == ["purpose"]


def test_somebody_without_a_persona_is_refused(version: Version, nora: User) -> None:
    with pytest.raises(NotAllowed) as refused:
        launch(version, nora, parameters=GOOD)
    assert "no_persona" in codes(refused)


@pytest.mark.parametrize("status", ["draft", "in_review", "withdrawn"])
def test_what_was_never_approved_is_not_launched(adams: User, status: str) -> None:
    version = version_of("1")
    if status != "draft":
        set_status(version, "in_review")
    if status == "withdrawn":
        set_status(version, status)
    with pytest.raises(NotAllowed) as refused:
        launch(version, adams)
    assert "not_approved" in codes(refused)


@pytest.mark.parametrize("status", ["revoked", "expired", "superseded"])
def test_an_approval_that_ended_is_not_launched(adams: User, status: str) -> None:
    version = approved("1")
    set_status(version, status)
    with pytest.raises(NotAllowed) as refused:
        launch(version, adams)
    assert "not_approved" in codes(refused)


def test_an_approval_whose_time_is_over_is_not_launched_before_a_sweep_ends_it(
    version: Version, adams: User
) -> None:
    assert version.approval_expires_at is not None
    with pytest.raises(NotAllowed) as refused:
        request_run(
            notebook=version.notebook,
            launch=Launch(parameters=GOOD),
            by=adams,
            now=version.approval_expires_at,
        )
    assert codes(refused) == ["approval_expired"]


def test_a_run_is_not_claimed_once_the_time_of_its_approval_is_over(
    version: Version, adams: User
) -> None:
    run = launch(version, adams, parameters=GOOD)
    assert version.approval_expires_at is not None
    assert claim_run(run_id=run.pk, now=version.approval_expires_at) is None
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert run.error is not None
    assert run.error["code"] == "approval_expired"


def test_the_author_launches_like_everybody_else(version: Version, ada: User) -> None:
    assert launch(version, ada, parameters=GOOD).persona == "data_scientist"


def test_a_source_that_failed_its_check_refuses_launches(
    version: Version, adams: User
) -> None:
    DataSourceCheck.objects.create(
        source="hospital",
        kind=RunKind.RUN,
        checked_at=timezone.now(),
        problems=[{"code": "rls_off", "message": "…", "remedy": "…"}],
    )
    with pytest.raises(NotAllowed) as refused:
        launch(version, adams, parameters=GOOD)
    assert codes(refused) == ["data_source_unsafe"]


@pytest.mark.security
@pytest.mark.parametrize("environment", ["python-analytics", "gone"])
def test_other_packages_than_the_approved_ones_refuse_launches(
    adams: User, environment: str
) -> None:
    version = approved("1", environment=environment, environment_lock_sha256="0" * 64)
    with pytest.raises(NotAllowed) as refused:
        launch(version, adams)
    assert codes(refused) == ["environment_differs"]
    assert not Run.objects.exists()


@pytest.mark.security
def test_other_packages_than_the_uploaded_ones_refuse_previews(ada: User) -> None:
    version = version_of("1", environment_lock_sha256="0" * 64)
    with pytest.raises(NotAllowed) as refused:
        request_preview(
            version=version, launch=Launch(persona="doctor"), by=ada, now=timezone.now()
        )
    assert codes(refused) == ["environment_differs"]


def test_an_unreachable_source_refuses_and_records_nothing(
    version: Version, adams: User, settings: object
) -> None:
    source = settings.DATA_SOURCES["hospital"]
    broken = type(source.real)(ticket="postgresql://cs_web:x@127.0.0.1:9/hospital")
    settings.DATA_SOURCES = {"hospital": type(source)("hospital", broken, broken)}
    with pytest.raises(Unavailable):
        launch(version, adams, parameters=GOOD)
    assert not Run.objects.exists()


@pytest.mark.parametrize("who", ["ada", "ravi", "carol"])
def test_those_who_take_part_in_the_review_preview(
    request: pytest.FixtureRequest, who: str, data_cluster: DataCluster
) -> None:
    draft = version_of("1")
    set_status(draft, "in_review")
    draft.refresh_from_db()
    run = request_preview(
        version=draft,
        launch=Launch(persona="lab"),
        by=request.getfixturevalue(who),
        now=timezone.now(),
    )
    assert run.is_preview
    with psycopg.connect(data_cluster.notional_owner_dsn) as owner:
        kind = owner.execute(
            "SELECT kind FROM countersign.tickets WHERE run_id = %s", [run.pk]
        ).fetchone()
    assert kind == ("preview",)


@pytest.mark.parametrize("who", ["adams", "otto", "iris", "nora"])
def test_nobody_else_previews(request: pytest.FixtureRequest, who: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        request_preview(
            version=version_of("1"),
            launch=Launch(persona="lab"),
            by=request.getfixturevalue(who),
            now=timezone.now(),
        )
    assert codes(refused) == ["not_part_of_the_review"]


def test_an_approved_version_is_run_and_not_previewed(
    version: Version, ravi: User
) -> None:
    with pytest.raises(NotAllowed) as refused:
        request_preview(
            version=version, launch=Launch(persona="lab"), by=ravi, now=timezone.now()
        )
    assert codes(refused) == ["not_under_review"]


def test_a_waiting_run_is_cancelled_at_once(version: Version, adams: User) -> None:
    run = launch(version, adams, parameters=GOOD)
    run = cancel_run(run=run, by=adams, now=timezone.now())
    assert (run.status, run.error["code"]) == ("cancelled", "cancelled")


def test_somebody_else_does_not_cancel(
    version: Version, adams: User, baker: User
) -> None:
    run = launch(version, adams, parameters=GOOD)
    with pytest.raises(NotAllowed) as refused:
        cancel_run(run=run, by=baker, now=timezone.now())
    assert codes(refused) == ["not_your_run"]


def test_an_ended_run_is_not_cancelled(version: Version, adams: User) -> None:
    run = launch(version, adams, parameters=GOOD)
    run = cancel_run(run=run, by=adams, now=timezone.now())
    with pytest.raises(NotAllowed) as refused:
        cancel_run(run=run, by=adams, now=timezone.now())
    assert codes(refused) == ["already_finished"]


def test_a_revocation_racing_a_launch_leaves_no_run_that_starts(adams: User) -> None:
    for _ in range(5):
        version = approved("1")
        barrier = threading.Barrier(2)
        refused: list[BaseException] = []

        def ask(
            version: Version = version,
            barrier: threading.Barrier = barrier,
            refused: list[BaseException] = refused,
        ) -> None:
            barrier.wait()
            try:
                request_run(
                    notebook=version.notebook,
                    launch=Launch(),
                    by=adams,
                    now=timezone.now(),
                )
            except NotAllowed as error:
                refused.append(error)
            connections.close_all()

        thread = threading.Thread(target=ask)
        thread.start()
        barrier.wait()
        set_status(version, "revoked")
        thread.join()
        runs = Run.objects.filter(version=version)
        assert runs.count() + len(refused) == 1
        for run in runs:
            with pytest.raises(Exception, match="Only an approved version"):
                Run.objects.filter(pk=run.pk).update(status="starting")
