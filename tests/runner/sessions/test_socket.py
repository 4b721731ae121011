"""A page is there while it may be, goes when it must, and leaves nothing behind."""

import time
from datetime import timedelta

import httpx
import pytest
from django.utils import timezone
from websockets.exceptions import ConnectionClosed

from accounts.models import PersonaAssignment, Session, User
from accounts.services import deactivate_person
from audit.models import Event
from gallery.workflow import Status as VersionStatus
from runner.live.frames import encode
from runner.models import Run
from runner.policies import session_blockers
from runner.sessions.streams import Said
from runner.workflow import Status
from tests.factories.runs import finish
from tests.runner.live.messages import (
    BUTTON,
    CONTROL_OPEN,
    SLIDER,
    asked,
    custom,
    update,
)
from tests.runner.sessions import pages
from tests.runner.sessions.pages import Worker, close_code, heard, visiting

pytestmark = pytest.mark.security
MOVED = encode(update(SLIDER, {"value": 4}))


# Leaving


def test_signing_out_ends_the_page_and_tells_the_worker(run, site, adams) -> None:
    browser, session = pages.signed_in(adams)
    channel = pages.Channel(run.pk, adams.pk, session.fingerprint)
    with visiting(pages.door(site, channel), run.pk) as (page, worker):
        browser.post("/sign-out/")
        assert close_code(page, within_s=5) == 4401
        assert worker.wait(Said.END, within_s=1).body == b"signed_out"


def test_another_sign_in_of_the_person_does_not_keep_it(door, run, channel, adams):
    pages.signed_in(adams)
    with visiting(door, run.pk) as (page, _):
        (mine,) = [
            each
            for each in Session.objects.filter(person=adams)
            if each.fingerprint == channel.sign_in
        ]
        mine.delete()
        assert close_code(page, within_s=5) == 4401


def test_nobody_at_the_screen_ends_it(door, run, settings) -> None:
    with visiting(door, run.pk) as (page, _):
        idle = timedelta(seconds=settings.SESSION_IDLE_S + 1)
        Session.objects.update(last_active_at=timezone.now() - idle)
        assert close_code(page, within_s=5) == 4401


def _takes_the_persona(run: Run) -> None:
    PersonaAssignment.objects.filter(person=run.requested_by).delete()


def _revokes(run: Run) -> None:
    version = run.version
    version.status = VersionStatus.REVOKED
    type(version).objects.filter(pk=version.pk).update(
        status=VersionStatus.REVOKED, ended_at=timezone.now(), end_reason="wrong"
    )


def _closes_the_audience(run: Run) -> None:
    type(run.notebook).objects.filter(pk=run.notebook_id).update(launch_restricted=True)


@pytest.mark.parametrize("act", [_takes_the_persona, _revokes, _closes_the_audience])
def test_a_right_that_goes_takes_the_page_along(door, run, act) -> None:
    with visiting(door, run.pk) as (page, _):
        act(run)
        assert close_code(page, within_s=5) == 4403


def test_a_closed_account_takes_the_page_along(door, run, adams, otto) -> None:
    with visiting(door, run.pk) as (page, _):
        deactivate_person(person=adams, reason="left", by=otto, now=timezone.now())
        # The account or its sign-ins: whichever is seen first.
        assert close_code(page, within_s=5) in {4401, 4403}


def test_an_account_that_is_closed_and_keeps_its_sign_in_is_refused(
    door, run, adams
) -> None:
    with visiting(door, run.pk) as (page, _):
        User.objects.filter(pk=adams.pk).update(is_active=False)
        assert session_blockers(User.objects.get(pk=adams.pk), run)
        assert close_code(page, within_s=5) == 4403


def test_the_end_of_the_session_is_told_as_a_kernels(door, run) -> None:
    with visiting(door, run.pk) as (page, _):
        finish(run, Status.SUCCEEDED, now=timezone.now())
        last = heard(page, within_s=3)
        assert last.channel == "iopub"
        assert (last.msg_type, last.content) == ("status", {"execution_state": "dead"})
        assert close_code(page, within_s=2) == 4410


def test_who_ends_it_is_told_the_same(door, run) -> None:
    with visiting(door, run.pk) as (page, _):
        Run.objects.filter(pk=run.pk).update(cancel_requested_at=timezone.now())
        assert heard(page, within_s=5).content == {"execution_state": "dead"}
        assert close_code(page, within_s=2) == 4410


# Being there


def test_working_in_a_page_is_being_there(door, run) -> None:
    before = _long_ago()
    with visiting(door, run.pk) as (page, worker):
        page.send(encode(custom(BUTTON, {"event": "click"})))
        worker.frames(1)
        assert _within(2, lambda: _last_active() > before)


def test_looking_at_a_page_is_not(door, run) -> None:
    before = _long_ago()
    control = {"comm_id": "c-2", "data": {"method": "request_states"}}
    with visiting(door, run.pk) as (page, worker):
        for each in (
            asked("kernel_info_request"),
            asked("comm_open", CONTROL_OPEN),
            asked("comm_msg", control),
            update(SLIDER, {"_view_count": 1}),
            update(SLIDER, {"max": 7}),  # refused
        ):
            page.send(encode(each))
        worker.frames(4)
        worker.wait(Said.HERE, within_s=6)
    assert _last_active() == before


def _long_ago():
    Session.objects.update(last_active_at=timezone.now() - timedelta(minutes=5))
    for session in Session.objects.all():
        store = pages.sessions.SessionStore(session.session_key)
        store["last_active_at"] = session.last_active_at.timestamp()
        store.save()
    return _last_active()


def _last_active():
    return Session.objects.latest("last_active_at").last_active_at


def _within(seconds: float, is_so) -> bool:
    deadline = time.monotonic() + seconds
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_so()


# Nothing is kept


def test_pages_leave_nothing_behind(site, run, channel) -> None:
    worker = Worker(run.pk)

    def connections() -> int:
        clients = worker.broker.client_list()
        return sum(each["name"] == "countersign-live-page" for each in clients)

    def everybody() -> int:
        """Who is connected to this test's part of the broker; others test beside it."""
        mine = worker.broker.client_info()["db"]
        return sum(each["db"] == str(mine) for each in worker.broker.client_list())

    before = everybody()
    place = pages.door(site, channel)
    for _ in range(3):
        opened = [place.open() for _ in range(5)]
        held = [each.__enter__() for each in opened]
        for _ in held:
            worker.welcome()
        assert connections() >= 5
        for socket, each in zip(held[:2], opened[:2], strict=True):
            socket.socket.shutdown(2)
            each.__exit__(None, None, None)
        for each in opened[2:]:
            each.__exit__(None, None, None)
        assert _within(5, lambda: connections() == 0)
    assert _within(5, lambda: everybody() <= before + 1)
    assert "Traceback" not in site.process.said()
    assert Event.objects.filter(action="live.refused_messages").count() == 0


def test_pages_keep_no_database_connection(site, adams) -> None:
    """The site has four, and each of twelve pages asks every two seconds."""
    runs = [pages.live_run(adams) for _ in range(3)]
    channel = pages.channel_of(runs[0])
    places = [
        pages.door(site, pages.Channel(run.pk, adams.pk, channel.sign_in))
        for run in runs
        for _ in range(4)
    ]
    opened = [place.open() for place in places]
    held = [each.__enter__() for each in opened]
    try:
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            assert httpx.get(f"{site.url}/sign-in/", timeout=3).is_success
        for socket in held:
            with pytest.raises(TimeoutError):
                socket.recv(timeout=0.01)
    finally:
        for each in opened:
            each.__exit__(None, None, None)


def test_a_place_is_free_again_when_its_page_has_gone(door, run) -> None:
    for _ in range(12):
        with door.open() as page:
            page.close()
    with pytest.raises(ConnectionClosed):
        page.recv()
