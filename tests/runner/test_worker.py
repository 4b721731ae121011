"""The Celery worker for real: through the queue, killed in the middle, swept up after."""

import time
from datetime import timedelta
from itertools import pairwise

import psycopg
import pytest
from django.utils import timezone

from accounts.models import User
from runner import sweep
from runner.models import Run
from runner.services import sweeping
from tests.runner.launching import approved, launch, wait_for_end
from tests.support.data import DataCluster
from tests.support.processes import Process

pytestmark = pytest.mark.usefixtures("kernel_host", "data_cluster")

SLEEP = "import time\ntime.sleep(120)"


def login_of(run: Run, cluster: DataCluster) -> bool:
    with psycopg.connect(cluster.hospital_owner_dsn) as owner:
        found = owner.execute(
            "SELECT 1 FROM pg_roles WHERE rolname = %s", [f"r_{run.pk.hex}"]
        )
        return found.fetchone() is not None


def until_running(run: Run) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if Run.objects.filter(pk=run.pk, cells__status="running").exists():
            return
        time.sleep(0.1)
    message = f"the run is still {Run.objects.get(pk=run.pk).status}"
    raise AssertionError(message)


def test_a_run_goes_through_the_queue(celery_worker: Process, adams: User) -> None:
    run = wait_for_end(launch(approved("print(6 * 7)"), adams).pk)
    assert run.status == "succeeded"


@pytest.fixture
def one_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the worker, which is another process; asked for before it is started."""
    monkeypatch.setenv("RUNS_AT_ONCE_PER_PERSON", "1")


def test_runs_over_the_limit_wait_without_a_worker_and_follow_at_once(
    one_at_once: None, celery_worker: Process, adams: User, baker: User
) -> None:
    """No sweep runs here: each end alone sends for the next."""
    runs = [launch(approved("import time\ntime.sleep(1)"), adams) for _ in range(4)]
    other = launch(approved("1"), baker)
    ended = [wait_for_end(run.pk) for run in runs]
    assert {run.status for run in ended} == {"succeeded"}
    for before, after in pairwise(ended):
        assert before.finished_at <= after.claimed_at
    assert wait_for_end(other.pk).claimed_at < ended[1].claimed_at


def test_a_message_too_many_runs_nothing_twice(
    celery_worker: Process, adams: User
) -> None:
    run = launch(approved("1"), adams)
    Run.objects.filter(pk=run.pk).update(
        enqueued_at=timezone.now() - timedelta(minutes=5)
    )
    sweeping.reenqueue_waiting_runs(now=timezone.now())
    ended = wait_for_end(run.pk)
    assert ended.status == "succeeded"
    assert ended.cells.count() == 1


def test_a_worker_killed_in_the_middle_leaves_a_lost_run_and_no_login(
    celery_worker: Process, adams: User, data_cluster: DataCluster
) -> None:
    run = launch(approved(SLEEP), adams)
    until_running(run)
    assert login_of(run, data_cluster)
    celery_worker.kill()
    later = timezone.now() + timedelta(seconds=30)
    sweep.sweep_runs(now=later)
    ended = Run.objects.get(pk=run.pk)
    assert (ended.status, ended.error["code"]) == ("lost", "worker_lost")
    deadline = time.monotonic() + 30
    while login_of(run, data_cluster) and time.monotonic() < deadline:
        sweep.sweep_runs(now=later)
        time.sleep(0.5)
    assert not login_of(run, data_cluster)


def test_a_live_run_is_not_swept(
    celery_worker: Process, adams: User, data_cluster: DataCluster
) -> None:
    run = launch(approved("import time\ntime.sleep(3)"), adams)
    until_running(run)
    sweep.sweep_runs(now=timezone.now())
    assert login_of(run, data_cluster)
    assert wait_for_end(run.pk).status == "succeeded"
