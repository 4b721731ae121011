"""What a page and the worker of its session say to each other, and what of it is missed."""

import threading
import time

import pytest

from runner.live.comms import CONTROL_TARGET
from runner.live.frames import MAX_FRAME_BYTES, SUBPROTOCOL, encode
from runner.sessions.pace import MESSAGES_AT_ONCE
from runner.sessions.streams import EVERYBODY, LIFETIME_S, Entry, Said, in_key
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
