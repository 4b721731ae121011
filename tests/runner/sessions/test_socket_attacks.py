"""A page says no more to a kernel than a page says, however it is put."""

import contextlib
import json
import struct
import time
from collections.abc import Iterable
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from audit.models import Event
from audit.presenters import sentence
from runner.live.frames import MAX_FRAME_BYTES, encode
from runner.sessions.streams import Said
from tests.runner.live.messages import (
    DISABLED,
    HEADING,
    SLIDER,
    asked,
    custom,
    header,
    update,
)
from tests.runner.sessions import pages
from tests.runner.sessions.pages import close_code, heard, visiting

pytestmark = pytest.mark.security
FINE = encode(update(SLIDER, {"value": 9}))


REQUESTS = [
    "execute_request",
    "complete_request",
    "inspect_request",
    "history_request",
    "is_complete_request",
    "interrupt_request",
    "debug_request",
    "input_reply",
    "input_request",
    "shutdown_request",
    "create_subshell_request",
    "connect_request",
    "comm_info_reply",
    "execute_reply",
    "status",
    "stream",
    "usage_request",
]
CHANNELS = ("shell", "control", "stdin", "iopub", "hb", "SHELL", "", "sub")
CODE = {"code": "open('/tmp/x', 'w')", "silent": False}


def raw(head: str, content: Any = CODE, channel: str = "shell") -> bytes:
    """A frame whose header is written by hand."""
    parts = [
        channel.encode(),
        head.encode(),
        b"{}",
        b"{}",
        json.dumps(content).encode(),
    ]
    count = len(parts) + 1
    offsets, at = [], 8 * (count + 1)
    for part in [*parts, b""]:
        offsets.append(at)
        at += len(part)
    return struct.pack(f"<{count + 1}Q", count, *offsets) + b"".join(parts)


def typed(*names: str) -> str:
    """A header in JSON that names several types, in this order."""
    rest = json.dumps({k: v for k, v in header("x").items() if k != "msg_type"})[1:]
    return "{" + "".join(f'"msg_type": "{name}", ' for name in names) + rest


def comm(target: str, **also: Any) -> bytes:
    content = {"comm_id": "c-9", "target_name": target, "data": {}} | also
    return encode(asked("comm_open", content))


EVERY_REQUEST = [
    raw(typed(name), channel=channel) for name in REQUESTS for channel in CHANNELS
]
DISGUISED = {
    "escape": raw(typed("execute\\u005frequest")),
    "key twice, harmless first": raw(typed("kernel_info_request", "execute_request")),
    "key escaped": raw(typed("x").replace("msg_type", "msg\\u005ftype")),
    "blank": raw(typed(" execute_request")),
    "capital": raw(typed("Execute_request")),
    "number": raw(typed("x").replace('"x"', "1")),
    "list": raw(typed("x").replace('"x"', '["execute_request"]')),
    "nul": raw(typed("execute_request\\u0000")),
    "NaN": raw(typed("comm_msg"), content=float("nan")),
    "header twice": raw(typed("comm_msg") + typed("execute_request")),
    "no JSON": raw("execute_request"),
    "nothing": b"",
    "no frame": b"\0" * 64,
    "cut": FINE[:-3],
    "longer": FINE + b"x",
    "v0": json.dumps(
        {"channel": "shell", "header": header("execute_request")}
    ).encode(),
}
COMMS = {
    "unknown target": comm("evil"),
    "no target": comm(""),
    "a widget of the page's": comm("jupyter.widget", data={"state": {}}),
    "module": comm("evil", target_module="os"),
    "pool": comm("ipyparallel"),
    "taken id": comm("jupyter.widget.control", comm_id=SLIDER),
    "forged id": encode(update("forged", {"value": 1})),
    "id of nothing": encode(update("", {"value": 1})),
    "close": encode(asked("comm_close", {"comm_id": SLIDER, "data": {}})),
    "bounds": encode(update(SLIDER, {"max": 10**9})),
    "text": encode(update(HEADING, {"value": "<script>"})),
    "what a widget holds": encode(update("outputs", {"outputs": []})),
    "disabled": encode(update(DISABLED, {"value": "x"})),
    "event": encode(custom(SLIDER, {"event": "click"})),
    "path of a buffer": encode(
        update(SLIDER, {}, data={"buffer_paths": [["max"]]}, buffers=(b"x",))
    ),
    "surrogate": raw(
        typed("comm_msg"),
        {"comm_id": "map", "data": {"method": "custom", "content": "\ud800"}},
    ),
    "infinity": raw(typed("comm_msg"), {"comm_id": "map", "data": {}}).replace(
        b'"data": {}', b'"da": 1e999'
    ),
}


def batches(frames: Iterable[bytes], size: int = 19) -> list[list[bytes]]:
    listed = list(frames)
    return [listed[at : at + size] for at in range(0, len(listed), size)]


def counted(run: Any) -> int:
    """How many refusals the log knows of this session."""
    events = Event.objects.filter(action="live.refused_messages", target_id=str(run.pk))
    return sum(each.data["messages"] for each in events)


def nothing_passes(site, adams, attacks: list[bytes]) -> None:
    """Send attacks, fewer at a time than end a visit; one fine message after each lot."""
    for lot in batches(attacks):
        run = pages.live_run(adams)
        door = pages.door(site, pages.channel_of(run))
        with visiting(door, run.pk) as (page, worker):
            for attack in lot:
                page.send(attack)
            page.send(FINE)
            (passed,) = worker.frames(1)
            assert passed.content["data"]["state"] == {"value": 9}
            assert [e for e in worker.read() if e.said is Said.FRAME] == []
        deadline = time.monotonic() + 5
        while counted(run) < len(lot) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert counted(run) == len(lot)


def test_no_request_of_a_kernel_passes_on_any_channel(site, adams) -> None:
    nothing_passes(site, adams, EVERY_REQUEST)


def test_no_disguise_passes(site, adams) -> None:
    nothing_passes(site, adams, list(DISGUISED.values()))


def test_no_comm_but_the_kernels_own_can_be_reached(site, adams) -> None:
    nothing_passes(site, adams, list(COMMS.values()))


def test_a_type_named_twice_is_the_one_that_is_passed_on(door, run) -> None:
    with visiting(door, run.pk) as (page, worker):
        page.send(raw(typed("execute_request", "kernel_info_request")))
        (frame,) = worker.frames(1)
    assert (frame.msg_type, frame.content) == ("kernel_info_request", {})


def test_nothing_of_a_header_but_its_parts_is_passed_on(door, run) -> None:
    head = header("comm_msg", subshell_id="s", username="root", other=1)
    with visiting(door, run.pk) as (page, worker):
        page.send(encode(update(SLIDER, {"value": 4}, header=head)))
        (frame,) = worker.frames(1)
    assert set(frame.header) == {
        *("msg_id", "session", "msg_type", "date", "version", "username")
    }
    assert frame.header["username"] == "reader"


def test_a_refused_widget_is_not_left_waiting(door, run) -> None:
    with visiting(door, run.pk) as (page, worker):
        page.send(encode(update(SLIDER, {"max": 7})))
        answer = heard(page, within_s=2)
        assert (answer.msg_type, answer.content) == (
            "status",
            {"execution_state": "idle"},
        )
        assert answer.parent_header["msg_id"] == "m-1"
        page.send(COMMS["surrogate"])
        assert heard(page, within_s=2).content == {"execution_state": "idle"}
        assert [e for e in worker.read() if e.said is Said.FRAME] == []


def test_text_is_no_message(door, run) -> None:
    with visiting(door, run.pk) as (page, worker):
        page.send(json.dumps({"channel": "shell", "header": header("execute_request")}))
        page.send(FINE)
        worker.frames(1)
    assert _event(run).data["codes"] == ["text 1"]


@pytest.mark.parametrize("pieces", [1, 65])
def test_what_is_too_large_ends_the_visit(door, run, pieces) -> None:
    part = bytes((MAX_FRAME_BYTES + 65) // pieces)
    with visiting(door, run.pk) as (page, worker):
        with contextlib.suppress(ConnectionClosed):  # before all of it was sent
            page.send(part for _ in range(pieces)) if pieces > 1 else page.send(part)
            page.send(FINE)
        worker.wait(Said.LEAVE)
        assert [e for e in worker.read() if e.said is Said.FRAME] == []
    assert _event(run).data["codes"] == ["too_large 1"]


def test_twenty_such_messages_end_the_visit_and_are_recorded(door, run, adams) -> None:
    secret = "Mrs Alder, 81"
    with visiting(door, run.pk) as (page, worker):
        for _ in range(15):
            page.send(raw(typed("execute_request"), {"code": secret}))
        for _ in range(5):
            page.send(encode(update("forged", {"value": secret})))
        page.send(FINE)
        assert close_code(page) == 1008
        assert [e for e in worker.read() if e.said is Said.FRAME] == []
    event = _event(run)
    assert (event.actor, event.target_id) == ("adams", str(run.pk))
    assert event.data["messages"] == 20
    assert event.data["codes"] == ["message_type 15", "unknown_comm 5"]
    assert secret not in json.dumps(event.data)
    assert "20 messages: message_type 15, unknown_comm 5" in sentence(event)
    assert secret not in door.site.process.said()


def test_who_begins_again_and_again_does_not_fill_the_log(door, run) -> None:
    let_in = 0
    for _ in range(40):
        try:
            with door.open() as page:
                let_in += 1
                for _ in range(20):
                    page.send(raw(typed("execute_request")))
                assert close_code(page) == 1008
        except InvalidStatus:
            continue
    assert 8 <= let_in <= 24


def test_a_visit_that_says_nothing_wrong_leaves_no_event(door, run) -> None:
    with visiting(door, run.pk) as (page, worker):
        page.send(FINE)
        worker.frames(1)
    worker.wait(Said.LEAVE)
    assert not Event.objects.filter(action="live.refused_messages").exists()


def _event(run: Any) -> Event:
    deadline = time.monotonic() + 5
    while not counted(run) and time.monotonic() < deadline:
        time.sleep(0.05)
    return Event.objects.get(action="live.refused_messages", target_id=str(run.pk))
