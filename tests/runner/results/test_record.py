"""Reading a session's record: in order, whoever may, an event each, and an end."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from accounts.policies import NotAllowed, NotNow
from gallery.models import Version
from gallery.workflow import Status
from runner.models import Run, WidgetEventBatch
from runner.results.expiry import expire_results
from runner.results.record import RecordedEvents, read_record
from runner.results.vault import Tampered
from tests.factories.gallery import make_version
from tests.factories.runs import make_run
from tests.runner.recorded import DAYS, entry, recorded_run
from tests.runner.results.finished import events

pytestmark = pytest.mark.django_db
RETENTION = timedelta(days=settings.RESULT_RETENTION_DAYS)
DONE = [entry(DAYS, value=value) for value in range(5)]


@pytest.fixture
def version(ada: User) -> Version:
    return make_version(Status.APPROVED)


def values(found: list[dict]) -> list[int]:
    return [each["values"]["value"] for each in found]


def codes(run: Run, by: User, **when: object) -> list[str]:
    """Why somebody may not read it."""
    with pytest.raises(NotAllowed) as refusal:
        read_record(run=run, by=by, now=when.get("now", timezone.now()))
    return [blocker.code for blocker in refusal.value.blockers]


@pytest.mark.parametrize("per_batch", [1, 2, 3, 5])
@pytest.mark.parametrize("part", [slice(0, 5), slice(1, 4), slice(2, 3), slice(4, 9)])
def test_any_part_comes_in_order_with_its_numbers(
    version: Version, adams: User, per_batch: int, part: slice
) -> None:
    run = recorded_run(version, adams, *DONE, per_batch=per_batch)
    found = RecordedEvents(run)
    assert len(found) == 5
    assert values(found[part]) == list(range(5))[part]
    assert [each["number"] for each in found[part]] == list(range(1, 6))[part]
    assert found[-1]["number"] == 5
    with pytest.raises(IndexError):
        found[5]


def test_only_the_batches_that_are_asked_for_are_opened(
    version: Version, adams: User
) -> None:
    run = recorded_run(version, adams, *DONE)
    WidgetEventBatch.objects.filter(first=0).update(sealed=b"broken")
    found = RecordedEvents(run)
    assert values(found[2:]) == [2, 3, 4]
    with pytest.raises(Tampered):
        found[1]


def test_a_session_in_which_nothing_was_done_has_an_empty_record(
    version: Version, adams: User
) -> None:
    found = read_record(run=recorded_run(version, adams), by=adams, now=timezone.now())
    assert (len(found), found[0:10]) == (0, [])


def test_every_look_is_an_event_also_an_auditor_s(
    version: Version, adams: User, iris: User
) -> None:
    run = recorded_run(version, adams, *DONE)
    for person in (adams, iris):
        assert len(read_record(run=run, by=person, now=timezone.now())) == 5
    looks = [(each.actor, each.target_id) for each in events("record.read")]
    assert looks == [("adams", str(run.pk)), ("iris", str(run.pk))]


@pytest.mark.security
@pytest.mark.parametrize("who", ["baker", "carol", "otto", "ada", "nora"])
def test_nobody_but_its_person_and_auditors_reads_it(
    version: Version, adams: User, who: str, request: pytest.FixtureRequest
) -> None:
    run = recorded_run(version, adams, *DONE)
    assert codes(run, request.getfixturevalue(who)) == ["not_your_run"]
    assert events("record.read") == []


@pytest.mark.security
def test_an_account_that_was_closed_reads_nothing(
    version: Version, adams: User, iris: User
) -> None:
    run = recorded_run(version, adams, *DONE)
    for person in (adams, iris):
        person.is_active = False
        assert codes(run, person) == ["not_your_run"]


def test_a_run_without_controls_has_no_record(version: Version, adams: User) -> None:
    run = make_run(version, adams, "succeeded")
    assert codes(run, adams) == ["not_a_live_session"]


def test_it_can_be_read_once_the_session_has_ended(
    version: Version, adams: User
) -> None:
    run = recorded_run(version, adams, *DONE, status="running")
    assert codes(run, adams) == ["not_finished"]


def test_it_is_closed_at_its_time_even_before_the_sweep(
    version: Version, adams: User
) -> None:
    run = recorded_run(version, adams, *DONE)
    over = timezone.now() + RETENTION
    assert codes(run, adams, now=over) == ["record_expired"]
    read_record(run=run, by=adams, now=over - timedelta(minutes=5))


def test_a_record_goes_as_a_whole_and_what_it_was_is_said(
    version: Version, adams: User, iris: User
) -> None:
    now = timezone.now()
    run = recorded_run(version, adams, *DONE[:2], kept_at=now - timedelta(hours=1))
    expire_results(now=now + RETENTION - timedelta(hours=1, minutes=1))
    assert WidgetEventBatch.objects.count() == 1
    later = WidgetEventBatch(run=run, first=2, sealed=b"", stored_at=now)
    later.expires_at = now + RETENTION
    later.save()
    expire_results(now=now + RETENTION - timedelta(minutes=30))
    assert not WidgetEventBatch.objects.exists()
    assert codes(run, iris) == ["record_expired"]
    assert len(events("result.expired")) == 1


def test_what_is_erased_after_the_look_was_granted_is_not_shown(
    version: Version, adams: User
) -> None:
    run = recorded_run(version, adams, *DONE)
    granted = read_record(run=run, by=adams, now=timezone.now())
    expire_results(now=timezone.now() + RETENTION)
    assert granted[0:5] == []


def test_a_refusal_that_lies_in_the_state_says_so(
    version: Version, adams: User
) -> None:
    run = recorded_run(version, adams, status="running")
    with pytest.raises(NotNow):
        read_record(run=run, by=adams, now=timezone.now())
