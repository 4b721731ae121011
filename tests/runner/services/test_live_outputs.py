"""What a run has shown so far: sealed rows that no end of the run leaves behind."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import DatabaseError, connections, transaction
from django.utils import timezone

from accounts.models import User
from gallery.workflow import Status as VersionStatus
from runner import sweep
from runner.models import Run, RunOutput
from runner.results.parts import LivePart, unseal_part
from runner.results.vault import Tampered
from runner.services import cancel_run
from runner.services.live_outputs import append_outputs, forget_leftover_outputs
from runner.services.sweeping import HEARTBEAT_TIMEOUT, end_lost_runs
from runner.workflow import FINAL, Status
from tests.factories.gallery import make_version
from tests.factories.runs import finish, make_run

PART = LivePart(1, b"<p>31 prescriptions</p>")


def append(run: Run, *parts: LivePart, after: int = 0) -> int | None:
    return append_outputs(
        run_id=run.pk, parts=parts or (PART,), after=after, now=timezone.now()
    )


def rows(run: Run) -> list[tuple[int, int, bool]]:
    found = RunOutput.objects.filter(run=run)
    return list(found.values_list("sequence", "cell", "replaces"))


@pytest.fixture
def run(_rows: None, adams: User) -> Run:
    return make_run(make_version(VersionStatus.APPROVED), adams, Status.RUNNING)


def test_parts_are_numbered_in_their_order(run: Run) -> None:
    assert append(run, PART, LivePart(2, b"")) == 2
    assert append(run, after=2) == 3
    assert rows(run) == [(1, 1, False), (2, 2, False), (3, 1, False)]


def test_what_a_cell_shows_anew_takes_the_place_of_what_it_showed(run: Run) -> None:
    append(run, LivePart(1, b"a"), LivePart(2, b"b"))
    append(run, LivePart(2, b"c", replaces=True), after=2)
    assert rows(run) == [(1, 1, False), (3, 2, True)]


@pytest.mark.security
def test_the_database_holds_nothing_readable(run: Run) -> None:
    append(run)
    sealed = bytes(RunOutput.objects.get().html)
    assert b"31 prescriptions" not in sealed
    keys = settings.RESULT_KEYS
    opened = unseal_part(sealed, run_id=run.pk, sequence=1, keys=keys)
    assert opened == PART.html


@pytest.mark.security
def test_a_part_opens_in_its_own_place_only(run: Run, adams: User) -> None:
    append(run)
    sealed, keys = bytes(RunOutput.objects.get().html), settings.RESULT_KEYS
    other = make_run(run.version, adams, Status.RUNNING)
    for run_id, sequence in ((run.pk, 2), (other.pk, 1)):
        with pytest.raises(Tampered):
            unseal_part(sealed, run_id=run_id, sequence=sequence, keys=keys)


@pytest.mark.security
def test_a_part_never_changes(run: Run) -> None:
    append(run)
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        RunOutput.objects.update(cell=7)


@pytest.mark.parametrize("status", sorted({*FINAL} - {Status.ACCESS_DENIED}))
def test_the_end_takes_them_away(run: Run, status: str) -> None:
    append(run)
    finish(run, status, now=timezone.now())
    assert rows(run) == []


def test_a_lost_run_leaves_none(run: Run) -> None:
    append(run)
    later = timezone.now() + HEARTBEAT_TIMEOUT + timedelta(seconds=1)
    assert end_lost_runs(now=later) == [run.pk]
    assert rows(run) == []


def test_a_run_that_is_being_cancelled_keeps_them_until_its_end(
    run: Run, adams: User
) -> None:
    append(run)
    cancel_run(run=run, by=adams, now=timezone.now())
    assert len(rows(run)) == 1
    finish(run, Status.CANCELLED, now=timezone.now())
    assert rows(run) == []


def test_an_ended_or_waiting_run_takes_none(run: Run, adams: User) -> None:
    waiting = make_run(run.version, adams, Status.STARTING)
    finish(run, Status.SUCCEEDED, now=timezone.now())
    assert [append(run), append(waiting)] == [None, None]
    assert not RunOutput.objects.exists()


def test_the_sweep_takes_away_what_was_left(run: Run, settings) -> None:
    settings.DATA_SOURCES = {}
    finish(run, Status.SUCCEEDED, now=timezone.now())
    other = make_run(run.version, run.requested_by, Status.RUNNING)
    for each in (run, other):
        RunOutput.objects.create(
            run=each, sequence=1, cell=1, html=b"x", stored_at=timezone.now()
        )
    sweep.sweep_runs(now=timezone.now())
    assert (rows(run), len(rows(other))) == ([], 1)
    assert forget_leftover_outputs() == 0


@pytest.mark.usefixtures("committed_db")
def test_no_part_outlives_an_end_that_comes_meanwhile(run: Run) -> None:
    """Whichever of the two comes first, nothing is left."""

    def end_and_append(first: Callable[[], object], then: Callable[[], object]) -> None:
        def other() -> None:
            then()
            connections.close_all()

        with transaction.atomic():
            first()
            thread = threading.Thread(target=other)
            thread.start()
            thread.join(0.5)
            assert thread.is_alive()  # it waits for the row
        thread.join(10)
        assert not thread.is_alive()

    def end() -> None:
        finish(Run.objects.get(pk=run.pk), Status.SUCCEEDED, now=timezone.now())

    end_and_append(lambda: append(run), end)
    assert rows(run) == []
    other = make_run(run.version, run.requested_by, Status.RUNNING)
    end_and_append(
        lambda: finish(other, Status.FAILED, now=timezone.now()), lambda: append(other)
    )
    assert rows(other) == []
