"""Moving a row: the table decides, a stale copy loses, one event follows."""

from threading import Barrier, Thread

import pytest
from django.db import connection

from audit import transitions
from audit.log import BadEventData
from audit.models import Event
from audit.transitions import InvalidTransition, StaleState, move
from audit.verify import verify_log
from gallery.models import Version
from gallery.workflow import TRANSITIONS, Status
from tests.rows import NOW, notebook_row, version_row


def submit(version: Version, **more) -> None:
    move(
        version,
        to=Status.IN_REVIEW,
        table=TRANSITIONS,
        by=version.created_by,
        now=NOW,
        **more,
    )


@pytest.fixture
def version(ada) -> Version:
    return version_row(notebook_row(ada), ada)


def test_a_move_changes_the_row_and_records_from_where(version):
    submit(version, submitted_at=NOW)
    assert (version.status, version.submitted_at) == (Status.IN_REVIEW, NOW)
    assert Version.objects.get().status == Status.IN_REVIEW
    event = Event.objects.latest("seq")
    assert event.action == "version.in_review"
    assert event.data["was"] == "draft"
    assert event.data["notebook"] == "trends"
    assert (event.target_type, event.target_id) == ("gallery.version", str(version.pk))


def test_a_move_may_name_its_action_and_add_data(version):
    submit(version, action="version.submitted", data={"peers": 2})
    event = Event.objects.latest("seq")
    assert event.action == "version.submitted"
    assert event.data["peers"] == 2


@pytest.mark.parametrize("to", sorted(set(Status) - {Status.IN_REVIEW}))
def test_a_step_that_the_table_does_not_have_is_refused(version, to):
    with pytest.raises(InvalidTransition) as refusal:
        move(version, to=to, table=TRANSITIONS, by=None, now=NOW)
    assert (refusal.value.obj, refusal.value.to) == (version, to)
    assert Version.objects.get().status == Status.DRAFT
    assert not Event.objects.exists()


def test_a_stale_copy_loses(version):
    stale = Version.objects.get()
    submit(version)
    with pytest.raises(StaleState):
        submit(stale)
    assert Event.objects.count() == 1


def test_a_move_whose_event_fails_does_not_happen(committed_db, version):
    with pytest.raises(BadEventData):
        submit(version, data={"bad": object()})
    assert Version.objects.get().status == Status.DRAFT
    assert not Event.objects.exists()


def test_of_two_at_once_one_moves_and_the_other_is_told(committed_db, version):
    together = Barrier(2)
    outcomes = []

    def race():
        mine = Version.objects.get()
        together.wait(5)
        try:
            submit(mine)
            outcomes.append("moved")
        except StaleState:
            outcomes.append("stale")
        finally:
            connection.close()

    threads = [Thread(target=race) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["moved", "stale"]
    assert Event.objects.count() == 1
    assert verify_log().is_whole


def test_refusals_say_what_they_are_about(version):
    assert str(InvalidTransition(version, "approved")) == (
        "Trends v1 cannot go from draft to approved"
    )
    assert str(StaleState(version)) == "Trends v1 was changed by somebody else"
    assert transitions.move.__doc__
