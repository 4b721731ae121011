"""A live page as it was after each step: from the record alone, an event each, no kernel."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.policies import NotAllowed
from gallery.models import Version
from runner.kernelhost import client as kernel_host
from runner.live.record import CUT
from runner.live.withheld import VIEW_MIME
from runner.models import ContentLink, PageChangeBatch, Run
from runner.results import links, replay
from runner.results.expiry import expire_results
from runner.results.headers import authority
from runner.results.replay import first_missing_step, steps_of_session, view_step
from runner.services.sweeping import HEARTBEAT_TIMEOUT, end_lost_runs
from tests.runner.launching import approved
from tests.runner.recorded import (
    DAYS,
    NOTE,
    PASSWORD,
    WARD,
    changed,
    entry,
    kept,
    opened,
    recorded_run,
    says,
    shown,
)
from tests.runner.results.finished import events
from tests.runner.results.test_record import RETENTION

pytestmark = pytest.mark.django_db
VIEW = {
    "output_type": "display_data",
    "data": {VIEW_MIME: {"model_id": DAYS}},
    "metadata": {},
}
EVENTS = [
    entry(DAYS, value=8),
    entry(NOTE, value="Ruth <b>Hall</b>"),
    entry(PASSWORD, value="CANARY"),
]
CHANGES = [
    kept(0, opened(DAYS)),
    shown(0, "started"),
    shown(0, "append", output=VIEW),
    shown(0, "append", output=says("three patients")),
    kept(1, changed(DAYS, value=8)),
    shown(1, "clear"),
    shown(1, "append", output=VIEW),
    shown(1, "append", output=says("eight patients")),
    shown(3, "append", output=says("and <script>no</script> more")),
]


@pytest.fixture
def version(ada: User) -> Version:
    return approved("read(days)", "print('later')")


@pytest.fixture
def run(version: Version, adams: User) -> Run:
    return recorded_run(version, adams, *EVENTS, changes=CHANGES)


def page(run: Run, by: User, step: int) -> str:
    return view_step(run=run, step=step, by=by, now=timezone.now()).decode()


def codes(run: Run, by: User, step: int = 0, **when: Any) -> list[str]:
    """Why somebody is not shown it."""
    with pytest.raises(NotAllowed) as refusal:
        view_step(run=run, step=step, by=by, now=when.get("now", timezone.now()))
    return [blocker.code for blocker in refusal.value.blockers]


def test_each_step_shows_what_the_page_showed_then(run: Run, adams: User) -> None:
    before, first, second, last = (page(run, adams, step) for step in range(4))
    assert ("three patients" in before, "eight patients" in before) == (True, False)
    assert "<strong>Days</strong> 3" in before
    assert ("three patients" in first, "eight patients" in first) == (False, True)
    assert "<strong>Days</strong> 8" in first
    assert "more" not in second
    assert "more" in last


def test_it_says_which_step_it_is_and_what_was_done(run: Run, adams: User) -> None:
    assert "Step 0 of 3. Before any control was used." in page(run, adams, 0)
    assert "Step 1 of 3. 10:00:05 UTC, Days (Slider): Set to 8" in page(run, adams, 1)


@pytest.mark.security
def test_nothing_of_it_is_alive_and_no_password_is_in_it(run: Run, adams: User) -> None:
    for step in range(4):
        made = page(run, adams, step)
        assert "<script" not in made
        assert "CANARY" not in made
    assert "Ruth &lt;b&gt;Hall" in page(run, adams, 2)


@pytest.mark.security
def test_no_kernel_is_started_and_no_data_source_is_asked(
    run: Run, adams: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(kernel_host, "execute", refuse)
    monkeypatch.setattr("socket.socket.connect", refuse)
    assert "eight patients" in page(run, adams, 1)


def test_a_busy_kernel_s_page_shows_what_its_reader_had_set(
    version: Version, adams: User
) -> None:
    """Three uses before the kernel answered the first."""
    uses = [entry(DAYS, value=value) for value in (4, 5, 6)]
    changes = [
        kept(0, opened(DAYS)),
        shown(0, "append", output=VIEW),
        shown(3, "append", output=says("for 4")),
    ]
    run = recorded_run(version, adams, *uses, changes=changes)
    second = page(run, adams, 2)
    assert ("<strong>Days</strong> 5" in second, "for 4" in second) == (True, False)
    assert "for 4" in page(run, adams, 3)


def test_each_change_is_followed_after_what_was_done_before_it(
    version: Version, adams: User
) -> None:
    """The kernel holds the slider below 5: its answer comes after the reader's word, and counts."""
    uses = [entry(DAYS, value=4), entry(DAYS, value=9)]
    changes = [
        kept(0, opened(DAYS)),
        shown(0, "append", output=VIEW),
        shown(1, "append", output=says("for 4")),
        kept(2, changed(DAYS, value=5)),
    ]
    run = recorded_run(version, adams, *uses, changes=changes)
    assert "<strong>Days</strong> 4" in page(run, adams, 1)
    assert "<strong>Days</strong> 5" in page(run, adams, 2)


def test_the_cell_of_parameters_shifts_no_output(version: Version, adams: User) -> None:
    changes = [shown(0, "append", cell=2, output=says("of the last cell"))]
    run = recorded_run(
        version, adams, changes=changes, injected_source="# Parameters\nmonths = 6\n"
    )
    assert "of the last cell" in page(run, adams, 0)


def test_every_look_is_an_event_that_names_its_step(run: Run, adams: User) -> None:
    page(run, adams, 2)
    [event] = events("record.replayed")
    assert (event.actor, event.data["step"]) == ("adams", 2)


@pytest.mark.security
@pytest.mark.parametrize(
    ("who", "code"),
    [
        ("iris", "not_yours_to_see"),
        ("baker", "not_your_run"),
        ("carol", "not_your_run"),
        ("otto", "not_your_run"),
        ("ada", "not_your_run"),
    ],
)
def test_nobody_else_sees_what_it_showed(
    run: Run, who: str, code: str, request: pytest.FixtureRequest
) -> None:
    assert codes(run, request.getfixturevalue(who)) == [code]
    assert events("record.replayed") == []


def test_an_auditor_sees_a_preview_whose_code_they_may_read(
    version: Version, ravi: User, iris: User
) -> None:
    run = recorded_run(version, ravi, *EVENTS, changes=CHANGES, kind="preview")
    assert "eight patients" in page(run, iris, 1)
    version.notebook.source_restricted = True
    version.notebook.save()
    again = Run.objects.get(pk=run.pk)
    assert codes(again, iris) == ["not_yours_to_see"]


def test_steps_that_there_are_not_are_refused(run: Run, adams: User) -> None:
    assert steps_of_session(run) == 3
    assert codes(run, adams, 4) == ["no_such_step"]
    assert codes(run, adams, -1) == ["no_such_step"]


def test_a_session_whose_page_was_not_kept_says_so(
    version: Version, adams: User
) -> None:
    run = recorded_run(version, adams, *EVENTS)
    assert codes(run, adams) == ["nothing_to_show"]


def test_from_where_changes_were_not_kept_nothing_is_made_up(
    version: Version, adams: User
) -> None:
    changes = [*CHANGES[:8], {"step": 2, CUT: True}]
    run = recorded_run(version, adams, *EVENTS, changes=changes)
    assert first_missing_step(run) == 2
    assert "eight patients" in page(run, adams, 1)
    assert codes(run, adams, 2) == codes(run, adams, 3) == ["changes_not_kept"]


def test_a_whole_record_misses_no_step(run: Run) -> None:
    assert first_missing_step(run) is None


def test_a_page_that_is_too_large_to_be_made_while_somebody_waits_is_refused(
    run: Run, adams: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "MAX_STEP_BYTES", 500)
    assert codes(run, adams) == ["step_too_large"]


def test_it_expires_with_the_record(run: Run, adams: User) -> None:
    over = timezone.now() + RETENTION
    assert codes(run, adams, now=over) == ["record_expired"]
    expire_results(now=over)
    assert not PageChangeBatch.objects.exists()
    assert codes(run, adams) == ["record_expired"]


def test_a_record_that_is_erased_while_it_is_read_is_not_shown_in_part(
    run: Run, adams: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = replay.opened

    def erased_after_the_events(batch: Any) -> Any:
        if isinstance(batch, PageChangeBatch):
            expire_results(now=timezone.now() + RETENTION)
        return real(batch)

    monkeypatch.setattr(replay, "opened", erased_after_the_events)
    assert codes(run, adams, 1) == ["record_expired"]
    assert events("record.replayed") == []


def test_what_a_killed_worker_had_kept_is_read_and_replayed(
    version: Version, adams: User
) -> None:
    run = recorded_run(version, adams, *EVENTS, changes=CHANGES, status="running")
    assert codes(run, adams) == ["not_finished"]
    long_ago = timezone.now() - HEARTBEAT_TIMEOUT - timedelta(seconds=1)
    Run.objects.filter(pk=run.pk).update(heartbeat_at=long_ago)
    assert end_lost_runs(now=timezone.now()) == [run.pk]
    lost = Run.objects.get(pk=run.pk)
    assert (lost.status, lost.stored_result) == ("lost", None)
    assert "eight patients" in page(lost, adams, 1)


def test_a_record_of_changes_alone_expires_too(version: Version, adams: User) -> None:
    run = recorded_run(version, adams, changes=CHANGES)
    assert codes(run, adams, now=timezone.now() + RETENTION) == ["record_expired"]


@pytest.mark.security
class TestItsLink:
    """One look, one person, one minute, in a frame of the content origin."""

    def link(self, run: Run, by: User, step: int) -> str:
        address = links.make_replay_link(run, step, by=by, now=timezone.now())
        return address.removeprefix(settings.CONTENT_ORIGIN)

    def get(self, path: str) -> Any:
        host = authority(settings.CONTENT_ORIGIN)
        return Client().get(path, HTTP_HOST=host, HTTP_SEC_FETCH_DEST="iframe")

    def test_it_shows_its_step_once(self, run: Run, adams: User) -> None:
        path = self.link(run, adams, 1)
        answer = self.get(path)
        assert answer.status_code == 200
        assert "eight patients" in answer.content.decode()
        assert "sandbox" in answer["Content-Security-Policy"]
        assert self.get(path).status_code == 410
        assert len(events("record.replayed")) == 1
        assert events("result.viewed") == []

    def test_it_is_not_made_for_whoever_may_not_look(
        self, run: Run, iris: User
    ) -> None:
        with pytest.raises(NotAllowed):
            self.link(run, iris, 1)
        assert not ContentLink.objects.exists()

    def test_it_dies_with_the_right_to_look(self, run: Run, adams: User) -> None:
        path = self.link(run, adams, 1)
        User.objects.filter(pk=adams.pk).update(is_active=False)
        assert self.get(path).status_code == 410
        assert events("record.replayed") == []

    def test_it_says_why_a_step_cannot_be_shown(
        self, run: Run, adams: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(replay, "MAX_STEP_BYTES", 500)
        answer = self.get(self.link(run, adams, 1))
        assert (answer.status_code, b"too much" in answer.content) == (410, True)

    def test_it_is_used_up_also_by_a_step_that_cannot_be_shown(
        self, run: Run, adams: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is too large was followed to be known as such: that is not for the asking, again and again."""
        monkeypatch.setattr(replay, "MAX_STEP_BYTES", 500)
        path = self.link(run, adams, 1)
        self.get(path)
        assert ContentLink.objects.get().used_at is not None
        assert b"too much" not in self.get(path).content
        assert events("record.replayed") == []

    def test_a_result_s_link_shows_no_step(self, run: Run, adams: User) -> None:
        address = links.make_link(run, by=adams, now=timezone.now())
        answer = self.get(address.removeprefix(settings.CONTENT_ORIGIN))
        assert "eight patients" not in answer.content.decode()
        assert events("record.replayed") == []


def test_the_choice_of_a_list_is_shown_by_its_name(
    version: Version, adams: User
) -> None:
    view = {**VIEW, "data": {VIEW_MIME: {"model_id": WARD}}}
    changes = [kept(0, opened(WARD)), shown(0, "append", output=view)]
    run = recorded_run(version, adams, entry(WARD, index=1), changes=changes)
    assert "<strong>Ward of Ruth</strong> B2" in page(run, adams, 1)
