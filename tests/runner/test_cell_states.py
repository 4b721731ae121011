"""How the cells of a run go: kept soon, in few writes, and right at the end."""

from datetime import UTC, datetime, timedelta

import pytest

from gallery.workflow import Status as VersionStatus
from runner.cell_states import INTERVAL, CellStates
from runner.models import Run
from runner.workflow import Status
from tests.factories.gallery import make_version, person
from tests.factories.runs import make_run

pytestmark = pytest.mark.django_db
BEGUN = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.fixture
def run() -> Run:
    version = make_version(status=VersionStatus.APPROVED)
    made = make_run(version, person("adams"), Status.RUNNING, now=BEGUN)
    made.cells.all().delete()
    return made


def goes(states: CellStates, cell: int, status: str | None = None) -> None:
    """One event of the kernel host: a cell that starts, or ends in `status`."""
    if status is None:
        states.take({"event": "cell_started", "cell": cell})
    else:
        event = {"event": "cell_finished", "cell": cell, "status": status}
        states.take({**event, "duration_ms": 7})


def kept(run: Run) -> list[tuple[int, str, int | None]]:
    return list(run.cells.values_list("index", "status", "duration_ms"))


def test_short_cells_share_one_write(run: Run, django_assert_max_num_queries) -> None:
    states = CellStates(run, now=BEGUN)
    with django_assert_max_num_queries(8):
        for cell in range(50):
            goes(states, cell)
            goes(states, cell, "ok")
            states.keep(now=BEGUN, at_once=False)
        states.keep(now=BEGUN + INTERVAL, at_once=False)
    assert kept(run) == [(cell, "ok", 7) for cell in range(50)]
    run.refresh_from_db()
    assert (run.cells_done, run.heartbeat_at) == (50, BEGUN + INTERVAL)


def test_a_cell_that_takes_its_time_is_shown_as_running(run: Run) -> None:
    states = CellStates(run, now=BEGUN)
    goes(states, 0, "ok")
    goes(states, 1)
    states.keep(now=BEGUN, at_once=True)
    assert kept(run) == [(0, "ok", 7), (1, "running", None)]
    run.refresh_from_db()
    assert run.cells_done == 1
    goes(states, 1, "error")
    states.keep(now=BEGUN + 2 * INTERVAL, at_once=False)
    assert kept(run) == [(0, "ok", 7), (1, "error", 7)]


def test_nothing_new_is_no_write(run: Run, django_assert_num_queries) -> None:
    states = CellStates(run, now=BEGUN)
    states.take({"event": "output", "cell": 0, "output": {}})
    with django_assert_num_queries(0):
        states.keep(now=BEGUN + timedelta(hours=1), at_once=True)


def test_whoever_waits_for_the_run_is_told_once(
    run: Run, monkeypatch, django_capture_on_commit_callbacks
) -> None:
    told = []
    monkeypatch.setattr("runner.services.lifecycle.signal_change", told.append)
    states = CellStates(run, now=BEGUN)
    for cell in range(9):
        goes(states, cell, "ok")
    with django_capture_on_commit_callbacks(execute=True):
        states.keep(now=BEGUN, at_once=True)
    assert told == [run.pk]


def test_a_run_that_has_ended_counts_no_more(run: Run) -> None:
    ended = {"status": Status.LOST, "finished_at": BEGUN}
    Run.objects.filter(pk=run.pk).update(cells_done=2, **ended)
    states = CellStates(run, now=BEGUN)
    goes(states, 4, "ok")
    states.keep(now=BEGUN, at_once=True)
    run.refresh_from_db()
    assert run.cells_done == 2
