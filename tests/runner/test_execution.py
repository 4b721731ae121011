"""A run from its request to its result: real login, real sandbox, real rows."""

import json
import threading
import time

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from gallery.models import Notebook, Version
from runner import execution
from runner.models import Run
from runner.results.rendering import render
from runner.results.vault import unseal
from runner.services import Launch, cancel_run, request_preview
from runner.services.lifecycle import claim_run
from tests.gallery.layouts import dashboard
from tests.rows import set_status
from tests.runner.launching import COUNT_PATIENTS, approved, launch, version_of
from tests.support.data import DataCluster

pytestmark = pytest.mark.usefixtures("committed_db", "kernel_host", "data_cluster")


def execute(run: Run) -> Run:
    execution.execute(run.pk)
    run.refresh_from_db()
    return run


def stored(run: Run, part: str = "notebook") -> bytes:
    sealed = bytes(getattr(run.result, part))
    return unseal(sealed, keys=settings.RESULT_KEYS, associated=f"{run.pk}/{part}")


def output_of(run: Run) -> str:
    notebook = json.loads(stored(run))
    return "".join(
        "".join(output.get("text", ""))
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
    )


def logins(cluster: DataCluster) -> list[str]:
    with psycopg.connect(cluster.hospital_owner_dsn) as owner:
        rows = owner.execute(
            "SELECT rolname FROM pg_roles WHERE rolname ~ '^r_[0-9a-f]{32}$'"
        )
        return [name for (name,) in rows]


def truth(cluster: DataCluster, where: str) -> int:
    with psycopg.connect(cluster.hospital_owner_dsn) as owner:
        row = owner.execute(f"SELECT count(*) FROM clinic.patients WHERE {where}")
        return int(row.fetchone()[0])


def test_a_doctor_counts_her_own_patients(
    adams: User, data_cluster: DataCluster
) -> None:
    run = execute(launch(approved(COUNT_PATIENTS), adams))
    assert (run.status, run.error) == ("succeeded", None)
    assert int(output_of(run)) == truth(data_cluster, "attending = 'adams'") > 0
    assert run.rows_read == 1
    assert run.data_read_at is not None
    assert logins(data_cluster) == []


def test_the_same_bytes_tell_another_person_another_truth(
    adams: User, baker: User, helen: User, data_cluster: DataCluster
) -> None:
    version = approved(COUNT_PATIENTS)
    counts = {
        "adams": output_of(execute(launch(version, adams))),
        "baker": output_of(execute(launch(version, baker))),
        "head": output_of(execute(launch(version, helen, persona="department_head"))),
        "doctor": output_of(execute(launch(version, helen, persona="doctor"))),
    }
    assert {name: int(text) for name, text in counts.items()} == {
        "adams": truth(data_cluster, "attending = 'adams'"),
        "baker": truth(data_cluster, "attending = 'baker'"),
        "head": truth(data_cluster, "department = 'cardiology'"),
        "doctor": truth(data_cluster, "attending = 'helen'"),
    }


def test_a_column_that_the_persona_lacks_fails_as_permission_denied(lena: User) -> None:
    name = 'connection.execute("SELECT name FROM clinic.patients")'
    source = f"import psycopg\nwith psycopg.connect() as connection:\n    {name}\n"
    run = execute(launch(approved("1 + 1", source), lena))
    assert run.status == "failed"
    assert run.error["code"] == "permission_denied"
    assert run.error["cell"] == 1
    assert run.error["exception"] == "InsufficientPrivilege"
    assert "clinic" not in run.error["message"]
    assert run.result.notebook is not None


@pytest.mark.security
def test_a_layout_hides_nothing_that_no_reviewer_was_told_of(adams: User) -> None:
    """A version from before layouts were read was signed as a page that shows everything."""
    cell, hides_all = "print('what', 'it shows')", dashboard()
    told = [{"code": "layout", "severity": "info", "message": "", "cell": None}]
    before = approved(cell, metadata=hides_all)
    after = approved(cell, metadata=hides_all, findings=told)
    assert b"what it shows" in stored(execute(launch(before, adams)), "html")
    assert b"what it shows" not in stored(execute(launch(after, adams)), "html")


def test_parameters_reach_the_kernel_as_data(adams: User) -> None:
    version = approved("print(drug)", parameters='drug: str = "Metformin"')
    hostile = 'x\'; import os; os._exit(1) #\n"""\\'
    run = execute(launch(version, adams, parameters={"drug": hostile}))
    assert run.status == "succeeded"
    assert output_of(run) == hostile + "\n"


def test_a_value_of_a_failed_cell_is_in_no_row_and_no_event(adams: User) -> None:
    canary = "CANARY-PATIENT-4711"
    run = execute(launch(approved(f"raise ValueError('{canary}')"), adams))
    assert run.error["exception"] == "ValueError"
    assert canary not in json.dumps(run.error)
    assert not Event.objects.filter(data__icontains=canary).exists()
    assert canary.encode() not in bytes(run.result.notebook)
    assert canary.encode() not in stored(run, "html")


def test_cells_keep_their_status_and_their_time(adams: User) -> None:
    run = execute(launch(approved("1", "1/0", "2"), adams))
    cells = [(cell.index, cell.status) for cell in run.cells.all()]
    assert cells == [(0, "ok"), (1, "error")]
    assert run.cells_total == 3
    assert all(cell.duration_ms is not None for cell in run.cells.all())


def test_the_kernel_sees_no_secret_of_ours(adams: User) -> None:
    source = "import os, json\nprint(json.dumps(dict(os.environ)))"
    seen = output_of(execute(launch(approved(source), adams)))
    for name in ("SECRET_KEY", "DATABASE_URL", "BROKER_URL", "DSN", "PASSWORD"):
        assert name not in seen
    assert settings.SECRET_KEY not in seen


def test_every_act_of_a_run_leaves_its_event(adams: User) -> None:
    run = execute(launch(approved("1"), adams))
    actions = Event.objects.filter(target_id=str(run.pk)).order_by("seq")
    assert list(actions.values_list("action", flat=True)) == [
        "run.requested",
        "run.starting",
        "lease.opened",
        "run.running",
        "lease.closed",
        "run.succeeded",
    ]


def test_a_preview_reads_invented_people_only(
    ada: User, data_cluster: DataCluster
) -> None:
    version = version_of(COUNT_PATIENTS)
    run = execute(
        request_preview(
            version=version,
            launch=Launch(persona="doctor"),
            by=ada,
            now=timezone.now(),
        )
    )
    assert run.status == "succeeded"
    with psycopg.connect(data_cluster.notional_owner_dsn) as owner:
        (invented,) = owner.execute(
            "SELECT count(*) FROM clinic.patients WHERE attending = 'adams'"
        ).fetchone()
    assert int(output_of(run)) == invented


def test_a_preview_cannot_reach_the_real_database(ada: User) -> None:
    source = (
        "import psycopg\n"
        "with psycopg.connect(dbname='hospital') as connection:\n"
        "    print(connection.execute('SELECT current_database()').fetchone()[0])\n"
    )
    request = request_preview(
        version=version_of(source),
        launch=Launch(persona="doctor"),
        by=ada,
        now=timezone.now(),
    )
    run = execute(request)
    assert "hospital" not in output_of(run)


def test_a_revocation_before_the_claim_ends_the_run_unstarted(adams: User) -> None:
    version = approved("1")
    run = launch(version, adams)
    set_status(version, "revoked")
    run = execute(run)
    assert (run.status, run.error["code"]) == ("cancelled", "approval_ended")
    assert not hasattr(run, "result")


def test_a_revocation_stops_what_is_running(adams: User) -> None:
    version = approved("import time\ntime.sleep(60)")
    run = launch(version, adams)
    run = _interrupted(run, lambda: set_status(version, "revoked"))
    assert (run.status, run.error["code"]) == ("cancelled", "approval_ended")


def test_cancelling_stops_what_is_running(adams: User) -> None:
    run = launch(approved("import time\ntime.sleep(60)"), adams)
    stop = lambda: cancel_run(  # noqa: E731
        run=Run.objects.get(pk=run.pk), by=adams, now=timezone.now()
    )
    run = _interrupted(run, stop)
    assert (run.status, run.error["code"]) == ("cancelled", "cancelled")


def test_deactivating_the_person_stops_the_run(adams: User) -> None:
    run = launch(approved("import time\ntime.sleep(60)"), adams)

    def deactivate() -> None:
        User.objects.filter(pk=adams.pk).update(is_active=False)

    run = _interrupted(run, deactivate)
    assert (run.status, run.error["code"]) == ("cancelled", "person_deactivated")


def test_losing_the_persona_stops_the_run(adams: User) -> None:
    run = launch(approved("import time\ntime.sleep(60)"), adams)
    run = _interrupted(run, lambda: adams.persona_assignments.all().delete())
    assert (run.status, run.error["code"]) == ("cancelled", "persona_lost")


def _interrupted(run: Run, act: object) -> Run:
    """Execute in a thread, act once the kernel is busy, and return the ended run."""

    def supervise() -> None:
        execution.execute(run.pk)
        connections.close_all()

    thread = threading.Thread(target=supervise)
    thread.start()
    for _ in range(300):
        if Run.objects.filter(pk=run.pk, cells__status="running").exists():
            break
        thread.join(0.1)
    act()
    thread.join(15)
    assert not thread.is_alive()
    return Run.objects.get(pk=run.pk)


def test_a_run_is_claimed_once(adams: User) -> None:
    run = launch(approved("1"), adams)
    now = timezone.now()
    assert claim_run(run_id=run.pk, now=now) is not None
    assert claim_run(run_id=run.pk, now=now) is None


def test_somebody_the_data_source_does_not_know_is_denied(
    adams: User, data_cluster: DataCluster
) -> None:
    version: Version = approved("1")
    User.objects.filter(pk=adams.pk).update(username="stranger")
    adams.refresh_from_db()
    run = execute(launch(version, adams))
    assert run.status == "access_denied"
    assert run.error["code"] == "persona_not_held"


def test_without_a_kernel_host_the_run_fails_in_words(
    adams: User, settings: object
) -> None:
    run = launch(approved("1"), adams)
    settings.KERNEL_HOST_SOCKET = "/nonexistent/kernels.sock"
    run = execute(run)
    assert (run.status, run.error["code"]) == ("failed", "kernel_host_gone")


def test_a_bash_notebook_runs(adams: User) -> None:
    version = approved(
        'echo "hello $((6 * 7))"',
        kernel_name="bash",
        language="bash",
        environment="bash",
    )
    run = execute(launch(version, adams))
    assert run.status == "succeeded"
    assert "hello 42" in output_of(run)


def test_a_run_whose_result_is_being_rendered_shows_that_its_worker_lives(
    adams: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = launch(approved("1"), adams)
    beats = []

    def slow_render(*args: object, **kwargs: object) -> object:
        for _ in range(3):
            time.sleep(0.3)
            beats.append(Run.objects.get(pk=run.pk).heartbeat_at)
        return render(*args, **kwargs)

    monkeypatch.setattr(execution, "TICK_S", 0.1)
    monkeypatch.setattr(execution, "render", slow_render)
    assert execute(run).status == "succeeded"
    assert beats == sorted(set(beats))


def test_the_failing_cell_is_counted_in_the_approved_version(adams: User) -> None:
    version = approved("1", "1/0", parameters="limit: int = 1")
    plain = execute(launch(version, adams))
    bound = execute(launch(version, adams, parameters={"limit": 2}))
    assert plain.error["cell"] == bound.error["cell"] == 2


def test_an_exception_class_cannot_carry_a_value(adams: User) -> None:
    source = "raise type('CANARY 4711, born 1950', (Exception,), {})()"
    run = execute(launch(approved(source), adams))
    assert run.error["exception"] == "Error"


def test_a_result_that_cannot_be_rendered_ends_the_run_in_words(
    adams: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object, **kwargs: object) -> object:
        message = "CANARY-OF-THE-OUTPUT"
        raise ValueError(message)

    monkeypatch.setattr(execution, "render", broken)
    run = execute(launch(approved("1"), adams))
    assert (run.status, run.error["code"]) == ("failed", "result_not_rendered")
    assert "CANARY-OF-THE-OUTPUT" not in caplog.text


def test_narrowing_the_audience_stops_the_run(adams: User) -> None:
    version = approved("import time\ntime.sleep(60)")
    run = launch(version, adams)

    def narrow() -> None:
        Notebook.objects.filter(pk=version.notebook_id).update(launch_restricted=True)

    run = _interrupted(run, narrow)
    assert (run.status, run.error["code"]) == ("cancelled", "audience_narrowed")


@pytest.mark.security
def test_the_kernel_host_is_told_which_packages_were_approved(
    adams: User, data_cluster: DataCluster, settings, tmp_path
) -> None:
    """The lock file may agree where the host's environment was built from another one."""
    lock = b"# another lock\n"
    (tmp_path / "python-analytics.txt").write_bytes(lock)
    settings.ENVIRONMENT_LOCKS_DIR = tmp_path
    run = execute(launch(approved("print('ran')"), adams))
    assert (run.status, run.error["code"]) == ("failed", "environment_differs")
    assert logins(data_cluster) == []


def test_a_version_that_asks_for_less_time_is_stopped_by_then(adams: User) -> None:
    version = approved("import time; time.sleep(60)", limits={"wall_clock_s": 3})
    run = execute(launch(version, adams))
    assert run.status == "timed_out"


def test_a_version_that_asks_for_more_outputs_keeps_them(adams: User, settings) -> None:
    settings.RUN_LIMITS = {**settings.RUN_LIMITS, "outputs": 5}
    code = "for i in range(20): display(i)"
    usual = execute(launch(approved(code), adams))
    asked = execute(launch(approved(code, limits={"outputs": 50}), adams))
    kept = [
        len(json.loads(stored(run))["cells"][0]["outputs"]) for run in (usual, asked)
    ]
    assert kept == [6, 20]


def test_a_longer_run_has_a_ticket_for_as_long(
    adams: User, data_cluster: DataCluster
) -> None:
    tickets = []
    for limits in ({}, {"wall_clock_s": 3600}):
        run = launch(approved("1", limits=limits), adams)
        with psycopg.connect(data_cluster.hospital_owner_dsn) as owner:
            (expires_at,) = owner.execute(
                "SELECT expires_at FROM countersign.tickets WHERE run_id = %s", [run.pk]
            ).fetchone()
        tickets.append(expires_at - run.queued_at)
    assert (tickets[1] - tickets[0]).total_seconds() == 3000
