"""Every pair of a run's states: the moves that exist, and all that do not."""

from itertools import product

import pytest

from accounts.models import User
from audit.models import Event
from audit.transitions import InvalidTransition, StaleState, move
from gallery.models import Version
from runner.models import Run
from runner.workflow import ACTIVE, FINAL, SUPERVISED, TRANSITIONS, Status
from tests.factories.gallery import NOW
from tests.factories.runs import make_run
from tests.rows import approve, notebook_row, version_row

pytestmark = pytest.mark.django_db

ENDS = {
    "succeeded",
    "failed",
    "timed_out",
    "cancelled",
    "kernel_died",
    "out_of_memory",
    "output_limit",
    "access_denied",
    "lost",
}
#: What the promise says, written out a second time.
MOVES = {
    ("queued", "starting"),
    ("queued", "cancelled"),
    ("starting", "running"),
    *product(["starting"], ENDS - {"succeeded", "output_limit"}),
    *product(["running"], ENDS - {"access_denied"}),
}


@pytest.fixture
def approved(ada: User, ravi: User, petra: User, carol: User) -> Version:
    version = version_row(notebook_row(ada), ada)
    approve(version, carol, ravi, petra)
    return version


def run_in(status: str, version: Version, by: User) -> Run:
    """Return a run that stands in `status`, however it came there."""
    if status in ENDS:
        run = make_run(version, by, Status.RUNNING)
        Run.objects.filter(pk=run.pk).update(status=status, finished_at=NOW)
        run.refresh_from_db()
        return run
    return make_run(version, by, status)


def step(run: Run, to: str) -> None:
    ending = {"finished_at": NOW} if to in ENDS else {}
    move(run, to=to, table=TRANSITIONS, by=None, now=NOW, **ending)


@pytest.mark.parametrize(("was", "to"), list(product(Status, Status)))
def test_a_run_moves_along_the_table_and_nowhere_else(
    was: Status, to: Status, approved: Version, adams: User
) -> None:
    run = run_in(was, approved, adams)
    events = Event.objects.count()
    if (was, to) in MOVES:
        step(run, to)
        last = Event.objects.latest("seq")
        assert (last.action, last.data["was"]) == (f"run.{to}", was)
    else:
        with pytest.raises(InvalidTransition):
            step(run, to)
        assert Event.objects.count() == events
    assert Run.objects.get(pk=run.pk).status == (to if (was, to) in MOVES else was)


def test_a_run_that_somebody_else_ended_is_stale(
    approved: Version, adams: User
) -> None:
    seen = make_run(approved, adams)
    step(Run.objects.get(pk=seen.pk), Status.CANCELLED)
    with pytest.raises(StaleState):
        step(seen, Status.STARTING)
    assert Run.objects.get(pk=seen.pk).status == Status.CANCELLED


def test_the_sets_of_states_are_what_they_say() -> None:
    assert set(TRANSITIONS) == set(Status)
    assert FINAL == ENDS
    assert {"queued", "starting", "running"} == ACTIVE
    assert {"starting", "running"} == SUPERVISED
