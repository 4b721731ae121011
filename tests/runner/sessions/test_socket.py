"""A page and the worker of its session hear each other, and the page goes when it must."""

import threading
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
from runner.live.comms import CONTROL_TARGET
from runner.live.frames import MAX_FRAME_BYTES, SUBPROTOCOL, encode
from runner.models import Run
from runner.policies import session_blockers
from runner.sessions.pace import MESSAGES_AT_ONCE
from runner.sessions.streams import EVERYBODY, LIFETIME_S, Entry, Said, in_key
from runner.workflow import Status
from tests.factories.runs import finish
from tests.runner.live.messages import (
    BUTTON,
    CONTROL_OPEN,
    SLIDER,
    asked,
    custom,
    opened,
    told,
    update,
)
from tests.runner.sessions import pages
from tests.runner.sessions.pages import Worker, close_code, heard, status, visiting

pytestmark = pytest.mark.security
MOVED = encode(update(SLIDER, {"value": 4}))


# To and fro


def test_the_page_speaks_the_protocol_that_it_offers(door) -> None:
    with door.but(subprotocols=("older", SUBPROTOCOL)).open() as page:
        assert page.subprotocol == SUBPROTOCOL
        assert page.response.headers.get("Sec-WebSocket-Extensions") is None


def test_what_a_page_does_reaches_the_worker_made_anew(door, run) -> None:
    with visiting(door, run.pk) as (page, worker):
        sent = update(SLIDER, {"value": 4}, metadata={"a": 1}, parent_header={"b": 2})
        page.send(encode(sent))
        (frame,) = worker.frames(1)
    assert frame.content == sent.content
    assert (frame.metadata, frame.parent_header) == ({}, {})
    assert frame.header["username"] == "reader"


def test_the_conversation_at_the_start_is_the_workers_to_answer(door, run) -> None:
    control = {"comm_id": "c-2", "data": {"method": "request_states"}}
    sent = [
        asked("kernel_info_request"),
        asked("comm_open", CONTROL_OPEN),
        asked("comm_msg", control),
        asked("comm_info_request"),
        asked("comm_close", {"comm_id": "c-2", "data": {}}),
    ]
    with visiting(door, run.pk) as (page, worker):
        for each in sent:
            page.send(encode(each))
        found = worker.frames(len(sent))
    assert [each.msg_type for each in found] == [each.msg_type for each in sent]
    assert found[1].content["target_name"] == CONTROL_TARGET


def test_uploads_ride_in_one_frame_both_ways(door, run) -> None:
    data = bytes(MAX_FRAME_BYTES - 2_000)
    sent = custom("map", {"method": "drop"}, buffers=(data,))
    with visiting(door, run.pk) as (page, worker):
        page.send(encode(sent))
        (frame,) = worker.frames(1, within_s=30)
        assert frame.buffers == (data,)
        worker.show(status("idle"))
        assert heard(page) == status("idle")


def test_nothing_is_shown_before_all_of_it_is(door, run) -> None:
    worker = Worker(run.pk)
    worker.show(status("busy"))
    with door.open() as page:
        joined = worker.wait(Said.JOIN)
        worker.show(status("busy"))
        worker.show(status("busy"), to=joined.connection)
        worker.write(Entry(Said.SHOWING, pages.streams.new_connection_id()))
        worker.write(Entry(Said.SHOWING, joined.connection))
        worker.show(status("idle"))
        assert heard(page) == status("idle")


def test_a_page_hears_of_no_widget_before_it_was_told_them_all(door, run) -> None:
    """What is made of widgets that it does not know would break it."""
    worker = Worker(run.pk)
    states = {"method": "update_states", "states": {}}
    with door.open() as page:
        joined = worker.welcome()
        page.send(encode(asked("comm_open", CONTROL_OPEN)))
        worker.frames(1)
        worker.show(opened(SLIDER))
        worker.show(told("comm_msg", {"comm_id": "c-3", "data": states}))
        worker.show(status("busy"))
        told_all = told("comm_msg", {"comm_id": "c-2", "data": states})
        worker.show(told_all, to=joined)
        worker.show(opened(BUTTON))
        assert [heard(page) for _ in range(3)] == [
            status("busy"),
            told_all,
            opened(BUTTON),
        ]
        # Those that were kept from it are known here, and may be used.
        page.send(encode(update(SLIDER, {"value": 4})))
        worker.frames(1)


def test_a_page_that_asks_each_widget_by_itself_hears_of_them(door, run) -> None:
    worker = Worker(run.pk)
    listed = told("comm_info_reply", {"comms": {}}, channel="shell")
    with door.open() as page:
        joined = worker.welcome()
        worker.show(opened(SLIDER))
        worker.show(listed, to=joined)
        worker.show(opened(BUTTON))
        assert [heard(page), heard(page)] == [listed, opened(BUTTON)]


def test_a_page_hears_what_is_for_it_or_for_all(door, run) -> None:
    with visiting(door, run.pk) as (page, worker):
        other = pages.streams.new_connection_id()
        worker.show(status("busy"), to=other)
        worker.write(Entry(Said.END, EVERYBODY, b"no"))
        worker.show(status("idle"))
        assert heard(page) == status("idle")


def test_two_pages_of_one_session_have_ids_of_their_own(door, run) -> None:
    worker = Worker(run.pk)
    with door.open() as one, door.open() as two:
        first, second = worker.welcome(), None
        second = worker.welcome()
        assert first != second
        worker.show(status("idle"), to=second)
        worker.show(status("busy"))
        shown = sorted([len(_all(one)), len(_all(two))])
    assert shown == [1, 2]


def _all(page) -> list[bytes]:
    found = []
    while True:
        try:
            found.append(page.recv(timeout=0.5))
        except TimeoutError:
            return found


def test_a_page_says_that_it_is_there_and_that_it_goes(door, run) -> None:
    worker = Worker(run.pk)
    with door.open():
        joined = worker.wait(Said.JOIN, within_s=2)
        assert worker.wait(Said.JOIN, within_s=6).connection == joined.connection
        worker.write(Entry(Said.SHOWING, joined.connection))
        assert worker.wait(Said.HERE, within_s=6).connection == joined.connection
        assert worker.wait(Said.HERE, within_s=6).connection == joined.connection
    assert worker.wait(Said.LEAVE).connection == joined.connection
    assert 0 < worker.broker.ttl(in_key(run.pk)) <= LIFETIME_S


def test_a_page_that_is_cut_off_goes_too(door, run) -> None:
    with visiting(door, run.pk) as (page, worker):
        page.socket.shutdown(2)
        worker.wait(Said.LEAVE)


# What is missing


@pytest.mark.parametrize("number", ["skipped", "again_later", "forged"])
def test_a_page_that_missed_something_is_to_come_again(door, run, number) -> None:
    with visiting(door, run.pk) as (page, worker):
        if number == "forged":
            entry = worker.sealer.seal(Entry(Said.FRAME, EVERYBODY), place="out/1")
            key = pages.streams.out_key(run.pk)
            worker.broker.xadd(key, entry, id=f"{worker.number + 1}-0")
        elif number == "skipped":
            worker.write(Entry(Said.FRAME, EVERYBODY), at=worker.number + 2)
        else:
            key = pages.streams.out_key(run.pk)
            place = pages.streams.out_place(worker.number)
            entry = worker.sealer.seal(Entry(Said.FRAME, EVERYBODY), place=place)
            worker.broker.xadd(key, entry, id=f"{worker.number}-1")
        assert close_code(page) == 1013


def test_what_was_trimmed_before_it_was_read_is_missed(door, run) -> None:
    with visiting(door, run.pk) as (page, worker):
        big = pages.told("stream", {"name": "stdout", "text": "x" * 3_000_000})
        for _ in range(60):  # more than a page that reads nothing is sent ahead
            worker.show(big)
        worker.broker.xtrim(pages.streams.out_key(run.pk), maxlen=2, approximate=False)
        assert close_code(page, within_s=30) == 1013


def test_a_page_that_reads_slowly_loses_nothing(door, run) -> None:
    with visiting(door, run.pk) as (page, worker):
        texts = [str(n) * 400_000 for n in range(40)]
        for text in texts:
            worker.show(pages.told("stream", {"name": "stdout", "text": text}))
        time.sleep(1)
        for text in texts:
            assert heard(page).content["text"] == text


def test_a_page_that_speaks_fast_is_read_slowly_and_loses_nothing(door, run) -> None:
    count = int(MESSAGES_AT_ONCE) + 400
    with visiting(door, run.pk) as (page, worker):
        began = time.monotonic()

        def speak() -> None:
            for n in range(count):
                page.send(encode(update(SLIDER, {"value": n})))

        speaking = threading.Thread(target=speak)
        speaking.start()
        found = worker.frames(count, within_s=30)
        speaking.join()
        assert time.monotonic() - began > 1.5
    values = [each.content["data"]["state"]["value"] for each in found]
    assert values == list(range(count))


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
