"""What a session's worker takes down: what its reader does, and what its pages are told."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings as configured
from django.db import OperationalError
from django.utils import timezone

from accounts.models import User
from gallery.workflow import Status
from runner.live.inbound import idle
from runner.live.traits import CONTROLS
from runner.live.withheld import Withheld
from runner.models import PageChangeBatch, Run
from runner.results.batches import opened as entries_of
from runner.sessions import record, session
from runner.sessions.session import LiveSession
from runner.workflow import Status as RunStatus
from tests.factories.gallery import make_version
from tests.factories.runs import make_run
from tests.runner.live.messages import SLIDER, header, opened, told
from tests.runner.sessions.test_relay import (
    Clock,
    Host,
    recorded,
    says,
    stays,
    wait_for,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def run(adams: User) -> Run:
    return make_run(
        make_version(Status.APPROVED), adams, RunStatus.RUNNING, queue="interactive"
    )


@pytest.fixture
def live(
    run: Run,
    host: Host,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[LiveSession]:
    """A session whose author has declared what the test says."""
    monkeypatch.setattr(session, "time", Clock())
    made = LiveSession(run, host, Withheld(getattr(request, "param", ())))
    with made.open():
        yield made
    with redis.Redis.from_url(configured.BROKER_URL) as broker:
        broker.flushdb()


def changes_of(run: Run) -> list[dict[str, Any]]:
    """What the record says that pages were told."""
    batches = PageChangeBatch.objects.filter(run=run)
    return [change for batch in batches for change in entries_of(batch)]


def test_what_pages_are_told_is_recorded_between_what_readers_do(
    live: LiveSession, run: Run, host: Host
) -> None:
    page = stays(live, run)
    live.take({"event": "cell_started", "cell": 0}, now=timezone.now())
    page.move(SLIDER, value=5)
    wait_for(lambda: host.told)
    data = {"method": "update", "state": {"value": 5}, "buffer_paths": []}
    says(live, told("comm_msg", {"comm_id": SLIDER, "data": data}))
    live.keep(now=timezone.now())
    found = [(each["step"], "widget" in each) for each in changes_of(run)]
    assert found == [(0, True), (0, False), (1, True)]


@pytest.mark.security
def test_of_what_pages_are_told_no_password_is_recorded(
    live: LiveSession, run: Run
) -> None:
    state = {
        "_model_module": CONTROLS,
        "_model_name": "PasswordModel",
        "value": "CANARY",
    }
    content = {
        "comm_id": "p",
        "target_name": "jupyter.widget",
        "data": {"state": state},
    }
    says(live, told("comm_open", content))
    data = {"method": "echo_update", "state": {"value": "CANARY"}}
    says(live, told("comm_msg", {"comm_id": "p", "data": data}))
    live.keep(now=timezone.now())
    assert len(changes_of(run)) == 2
    assert "CANARY" not in str(changes_of(run))


@pytest.mark.security
@pytest.mark.parametrize("live", [True], indirect=True)
def test_what_its_author_calls_sensitive_is_in_no_part_of_the_record(
    live: LiveSession, run: Run, host: Host
) -> None:
    page = stays(live, run)
    page.move(SLIDER, value=987_654)
    wait_for(lambda: host.told)
    data = {"method": "echo_update", "state": {"value": 987_654}}
    says(live, told("comm_msg", {"comm_id": SLIDER, "data": data}))
    live.keep(now=timezone.now())
    finished: dict[str, Any] = {"event": "finished", "notebook": {}}
    live.take(finished, now=timezone.now())
    assert b"987654" in host.told[0]
    assert "987654" not in f"{recorded()} {changes_of(run)} {finished}"
    assert recorded()[0]["withheld"] == ["value"]


def test_pages_that_are_told_too_much_lose_their_replay_and_no_event(
    live: LiveSession, run: Run, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "MAX_RECORD_BYTES", 4_000)
    page = stays(live, run)
    page.move(SLIDER, value=1)
    wait_for(lambda: host.told)
    data = {"method": "update", "state": {"text": "x" * 3_000}, "buffer_paths": []}
    says(live, told("comm_msg", {"comm_id": SLIDER, "data": data}))
    says(live, opened(SLIDER))
    page.move(SLIDER, value=2)
    wait_for(lambda: len(host.told) == 2)
    live.keep(now=timezone.now())
    assert live.stop is None
    assert len(recorded()) == 2
    assert changes_of(run)[-1] == {"step": 1, "cut": True}


def test_a_page_that_moves_by_itself_takes_little_of_its_record(
    live: LiveSession, run: Run, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each second gives back what did not last: thirty seconds fit where one and a half would."""
    monkeypatch.setattr(record, "MAX_RECORD_BYTES", 12_000)
    stays(live, run)
    for second in range(30):
        for tenth in range(10):
            data = {"method": "update", "state": {"value": second * 10 + tenth}}
            says(live, told("comm_msg", {"comm_id": SLIDER, "data": data}))
        live.keep(now=timezone.now())
    values = [
        change["widget"]["content"]["data"]["state"]["value"]
        for change in changes_of(run)[1:]
    ]
    assert values == [second * 10 + 9 for second in range(30)]


def test_more_changes_than_can_be_followed_while_somebody_waits_are_cut(
    live: LiveSession, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "MAX_CHANGES", 3)
    says(live, *(opened(SLIDER) for _ in range(9)))
    live.keep(now=timezone.now())
    found = changes_of(run)
    assert (len(found), found[-1]) == (4, {"step": 0, "cut": True})


def test_more_use_than_is_kept_stops_the_session(
    live: LiveSession, run: Run, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "MAX_RECORD_BYTES", 700)
    page = stays(live, run)
    for value in range(9):
        page.move(SLIDER, value=value)
    page.connect()
    assert live.stop is not None
    assert live.stop.code == "used_too_often"
    live.keep(now=timezone.now())
    assert len(host.told) == len(recorded()) < 9


def test_what_a_kernel_is_not_sent_is_not_recorded(
    live: LiveSession, run: Run, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "MAX_UNANSWERED", 2)
    page = stays(live, run)
    sent = [page.move(SLIDER, value=value) for value in range(3)]
    page.until(lambda frame: frame.parent_header.get("msg_id") == sent[2])
    assert page.heard[-1].content == {"execution_state": "idle"}
    says(live, idle(header("comm_msg", msg_id=sent[0])))
    page.move(SLIDER, value=3)
    page.connect()
    live.keep(now=timezone.now())
    assert [event["values"] for event in recorded()] == [
        {"value": 0},
        {"value": 1},
        {"value": 3},
    ]
    assert len(host.told) == 3


def test_what_a_database_refuses_is_kept_the_next_time(
    live: LiveSession, run: Run, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel has heard it, so the record must tell of it: the numbers alone would miss nothing."""

    def fail(*_: Any, **__: Any) -> None:
        raise OperationalError

    page = stays(live, run)
    page.move(SLIDER, value=1)
    wait_for(lambda: host.told)
    # After the events were written, before what pages were told is.
    monkeypatch.setattr(PageChangeBatch, "save", fail)
    with pytest.raises(OperationalError):
        live.keep(now=timezone.now())
    monkeypatch.undo()
    assert (recorded(), changes_of(run)) == ([], [])
    page.move(SLIDER, value=2)
    wait_for(lambda: len(host.told) == 2)
    live.keep(now=timezone.now())
    assert [event["values"] for event in recorded()] == [{"value": 1}, {"value": 2}]
    assert [change["step"] for change in changes_of(run)] == [0]
