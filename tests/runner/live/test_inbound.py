"""What a page may say to a kernel: nothing but what is listed, and that made anew."""

import pytest

from runner.live.comms import CONTROL_TARGET, MAX_CONTROLS, WIDGET_TARGET
from runner.live.frames import Frame, decode, encode
from runner.live.inbound import Passed, Refused, judge
from tests.runner.live.messages import (
    BUTTON,
    CONTROL_OPEN,
    DISABLED,
    HEADING,
    MAP,
    OUTPUTS,
    SLIDER,
    asked,
    comms,
    custom,
    header,
    opened,
    told,
    update,
)

MADE_ANEW = {**header(""), "username": "reader", "session": "page"}


def passed(frame, known=None, **given):
    answer = judge(frame, known or comms(), **given)
    assert isinstance(answer, Passed), answer
    return answer


def refused(frame, known=None, **given):
    answer = judge(frame, known or comms(), **given)
    assert isinstance(answer, Refused), answer
    return answer


# What passes ---------------------------------------------------------------------------


def test_a_page_asks_what_the_kernel_is():
    frame = asked("kernel_info_request", {"extra": 1}, metadata={"subshell_id": "x"})
    assert passed(frame).frame == Frame(
        "shell", {**MADE_ANEW, "msg_type": "kernel_info_request"}
    )


def test_a_page_asks_for_comms_of_widgets_whatever_it_asked_for():
    frame = asked("comm_info_request", {"target_name": "secrets"})
    assert passed(frame).frame.content == {"target_name": WIDGET_TARGET}


def test_a_page_opens_its_control_asks_for_all_widgets_and_closes_it():
    known = comms()
    opening = asked(
        "comm_open", {**CONTROL_OPEN, "target_module": "os", "data": {"x": 1}}
    )
    assert passed(opening, known).frame.content == CONTROL_OPEN
    assert passed(opening, comms()).frame.metadata == {"version": "1.0.0"}
    data = {"method": "request_states", "more": 1}
    asking = asked("comm_msg", {"comm_id": "c-2", "data": data})
    made = passed(asking, known).frame.content
    assert made == {"comm_id": "c-2", "data": {"method": "request_states"}}
    closing = asked("comm_close", {"comm_id": "c-2", "data": {"x": 1}})
    assert passed(closing, known).frame.content == {"comm_id": "c-2", "data": {}}
    assert refused(closing, known).code == "not_your_comm"
    assert refused(asking, known).code == "unknown_comm"


def test_a_reader_moves_a_slider_and_it_is_known_which():
    answer = passed(update(SLIDER, {"value": 7}))
    assert answer.frame.content == {
        "comm_id": SLIDER,
        "data": {"method": "update", "state": {"value": 7}, "buffer_paths": []},
    }
    event = answer.event
    assert (event.model, event.method) == ("IntSliderModel", "update")
    assert event.values == {"value": 7}


def test_a_reader_presses_a_button():
    answer = passed(custom(BUTTON, {"event": "click"}))
    assert answer.frame.content["data"] == {
        "method": "custom",
        "content": {"event": "click"},
    }
    assert answer.event.values == {"event": {"event": "click"}}


def test_a_page_counts_views():
    assert passed(update(DISABLED, {"_view_count": 1}))


def test_a_page_does_not_say_what_an_output_widget_has_shown():
    answer = refused(update(OUTPUTS, {"outputs": [{"output_type": "stream"}]}))
    assert answer.code == "read_only"


def test_a_page_asks_for_the_state_of_one_widget():
    data = {"method": "request_state", "more": 1}
    answer = passed(asked("comm_msg", {"comm_id": MAP, "data": data}))
    assert answer.frame.content["data"] == {"method": "request_state"}


def test_an_upload_keeps_its_bytes():
    data = {"buffer_paths": [["value", 0, "content"]]}
    known = comms()
    known.heard(
        told(
            "comm_open",
            {
                "comm_id": "file",
                "target_name": WIDGET_TARGET,
                "data": {
                    "state": {
                        "_model_module": "@jupyter-widgets/controls",
                        "_model_name": "FileUploadModel",
                    }
                },
            },
        )
    )
    frame = update(
        "file", {"value": [{"name": "x"}]}, data=data, buffers=(b"\x00\xff",)
    )
    made = passed(frame, known).frame
    assert made.buffers == (b"\x00\xff",)
    assert made.content["data"]["buffer_paths"] == [["value", 0, "content"]]


def test_an_unknown_library_is_used_as_it_wants_where_the_version_allows_that():
    moved = update(MAP, {"center": [1, 2], "zoom": 4})
    clicked = custom(MAP, {"event": "whatever"}, buffers=(b"x",))
    assert passed(moved).event.values == {"center": [1, 2], "zoom": 4}
    assert passed(clicked).frame.buffers == (b"x",)
    for frame in (moved, clicked):
        assert refused(frame, writes_unknown=False).code == "read_only"
    assert passed(update(SLIDER, {"value": 1}), writes_unknown=False)


# What does not -------------------------------------------------------------------------


@pytest.mark.security
@pytest.mark.parametrize(
    "msg_type",
    [
        *("execute_request", "complete_request", "inspect_request", "history_request"),
        *("is_complete_request", "shutdown_request", "interrupt_request"),
        *("debug_request", "create_subshell_request", "delete_subshell_request"),
        *("list_subshell_request", "input_reply", "usage_request", "connect_request"),
        *("apply_request", "clear_request", "abort_request", "comm_msg\n", "Comm_msg"),
        *("execute\\u005frequest", "x"),
    ],
)
@pytest.mark.parametrize("channel", ["shell", "control", "stdin", "iopub"])
def test_no_other_message_reaches_a_kernel(msg_type, channel):
    frame = asked(msg_type, {"code": "print(1)", "silent": False}, channel=channel)
    assert refused(frame).answer is None


@pytest.mark.security
@pytest.mark.parametrize(
    "text",
    [
        b'{"msg_type":"execute\\u005frequest",%s}',
        b'{"msg_type":"comm_info_request","msg_type":"execute_request",%s}',
        b'{"msg_type":"execute_request","msg_type":"comm_info_request",%s}',
    ],
)
def test_what_is_judged_is_what_is_sent_on_however_it_was_written(text):
    """A kernel that reads JSON in another way than we do never sees what the page wrote."""
    rest = b'"msg_id":"m","session":"s","date":"2026-03-02","version":"5.3"'
    frame = decode(_with_header(text % rest))
    answer = judge(frame, comms())
    if isinstance(answer, Passed):
        sent = encode(answer.frame)
        assert b"execute" not in sent
        assert answer.frame.msg_type == "comm_info_request"


def _with_header(text: bytes) -> bytes:
    """A frame on the shell channel with this header, to the letter."""
    plain = encode(Frame("shell", {}))
    start = plain.index(b"{}")
    numbers = [6, 56, 61, *[61 + len(text) + 2 * n for n in range(4)]]
    made = b"".join(number.to_bytes(8, "little") for number in numbers)
    return made + plain[56:start] + text + plain[start + 2 :]


@pytest.mark.security
@pytest.mark.parametrize("channel", ["control", "stdin", "iopub", "hb", "SHELL"])
def test_only_the_shell_channel_leads_to_a_kernel(channel):
    assert refused(update(SLIDER, {"value": 1}, channel=channel)).code == "channel"


@pytest.mark.security
@pytest.mark.parametrize(
    "fields",
    [
        {"msg_id": ""},
        {"msg_id": "a" * 101},
        {"msg_id": 'a","x":"'},
        {"msg_id": None},
        {"msg_id": "a\n"},
        {"session": ["s"]},
        {"date": "<script>"},
        {"version": "5.3; x"},
        {"msg_type": 5},
    ],
)
def test_a_header_of_other_values_is_refused(fields):
    frame = asked("kernel_info_request", header=header("kernel_info_request") | fields)
    assert refused(frame).code == "header"


@pytest.mark.security
def test_a_header_is_made_anew():
    more = {"subshell_id": "s", "username": "root", "extra": {"a": 1}}
    frame = asked("kernel_info_request", header=header("kernel_info_request") | more)
    frame = Frame("shell", frame.header, parent_header={"msg_id": "somebody's"})
    made = passed(frame).frame
    assert made.header == {**MADE_ANEW, "msg_type": "kernel_info_request"}
    assert made.parent_header == {}


@pytest.mark.security
@pytest.mark.parametrize(
    "target", [WIDGET_TARGET, "hv-extension", "matplotlib", "", None, [CONTROL_TARGET]]
)
def test_a_page_opens_nothing_but_its_control(target):
    content = {"comm_id": "new", "target_name": target, "data": {"state": {}}}
    assert refused(asked("comm_open", content)).code == "comm_target"


@pytest.mark.security
def test_a_page_cannot_take_a_comm_that_is_there_nor_open_without_end():
    known = comms()
    taken = {**CONTROL_OPEN, "comm_id": SLIDER}
    assert refused(asked("comm_open", taken), known).code == "comm_not_opened"
    again = {**CONTROL_OPEN, "comm_id": "control"}
    assert refused(asked("comm_open", again), known).code == "comm_not_opened"
    answers = [
        judge(asked("comm_open", {**CONTROL_OPEN, "comm_id": f"c-{n}"}), known)
        for n in range(MAX_CONTROLS + 5)
    ]
    assert sum(isinstance(each, Passed) for each in answers) == MAX_CONTROLS - 1


@pytest.mark.security
def test_a_page_cannot_close_a_widget():
    known = comms()
    frame = asked("comm_close", {"comm_id": SLIDER, "data": {}})
    assert refused(frame, known).code == "not_your_comm"
    assert passed(update(SLIDER, {"value": 1}), known)


@pytest.mark.security
@pytest.mark.parametrize("comm_id", ["other", "", None, 5, ["slider"], "a" * 101])
def test_a_comm_that_the_kernel_did_not_open_does_not_exist(comm_id):
    assert refused(update(comm_id, {"value": 1})).code in ("unknown_comm", "comm_id")


@pytest.mark.security
@pytest.mark.parametrize(
    ("comm_id", "state"),
    [
        (SLIDER, {"max": 10**9}),
        (SLIDER, {"value": 1, "min": -1}),
        (SLIDER, {"disabled": False}),
        (SLIDER, {"_model_name": "TextModel"}),
        (SLIDER, {"layout": "IPY_MODEL_x"}),
        (HEADING, {"value": "<b>Dose: none</b>"}),
        (BUTTON, {"description": "Delete"}),
        (OUTPUTS, {"msg_id": "m"}),
        (DISABLED, {"disabled": False}),
    ],
)
def test_a_reader_changes_what_a_control_is_for_and_nothing_else(comm_id, state):
    assert refused(update(comm_id, state)).code == "read_only"


@pytest.mark.security
@pytest.mark.parametrize(
    "paths",
    [
        [["max"]],
        [["value", 0], ["max"]],
        [["options", 0]],
    ],
)
def test_a_buffer_is_no_way_around_that(paths):
    frame = update(
        SLIDER,
        {"value": 1},
        data={"buffer_paths": paths},
        buffers=(b"x",) * len(paths),
    )
    assert refused(frame).code == "read_only"


@pytest.mark.security
@pytest.mark.parametrize(
    ("paths", "buffers"),
    [
        ([["value"]], ()),
        ([], (b"x",)),
        ([[]], (b"x",)),
        (["value"], (b"x",)),
        ([[0]], (b"x",)),
        ([["value", True]], (b"x",)),
        ([["value", {"a": 1}]], (b"x",)),
        ([["value"] * 33], (b"x",)),
    ],
)
def test_buffers_and_their_paths_belong_together(paths, buffers):
    frame = update(SLIDER, {"value": 1}, data={"buffer_paths": paths}, buffers=buffers)
    assert refused(frame).code == "buffers"


@pytest.mark.security
def test_a_disabled_control_stays_as_it_is_until_the_kernel_enables_it():
    known = comms()
    frame = update(DISABLED, {"value": "x"})
    assert refused(frame, known).code == "disabled"
    content = {"comm_id": DISABLED, "data": {"method": "update"}}
    for disabled, answer in ((False, Passed), (True, Refused)):
        content["data"]["state"] = {"disabled": disabled}
        known.heard(told("comm_msg", content))
        assert isinstance(judge(frame, known), answer)
    assert refused(custom(DISABLED, {"event": "submit"}), known).code == "disabled"


@pytest.mark.security
@pytest.mark.parametrize(
    ("comm_id", "content"),
    [
        (SLIDER, {"event": "click"}),
        (BUTTON, {"event": "click", "more": 1}),
        (BUTTON, {"event": "delete"}),
        (BUTTON, "click"),
        (BUTTON, None),
    ],
)
def test_a_control_sends_the_events_that_it_has(comm_id, content):
    assert refused(custom(comm_id, content)).code == "event"


@pytest.mark.security
def test_a_known_controls_event_carries_no_bytes():
    frame = custom(BUTTON, {"event": "click"}, buffers=(b"x",))
    assert refused(frame).code == "buffers"


@pytest.mark.security
@pytest.mark.parametrize(
    "data",
    [None, "update", {}, {"method": "backbone"}, {"method": ["update"]}, {"method": 1}],
)
def test_other_ways_to_speak_to_a_widget_are_refused(data):
    for comm_id in (SLIDER, MAP, "control"):
        frame = asked("comm_msg", {"comm_id": comm_id, "data": data})
        assert refused(frame).code == "comm_method"


@pytest.mark.security
@pytest.mark.parametrize("state", [None, [], "value", 5])
def test_a_state_is_an_object(state):
    assert refused(update(SLIDER, state)).code == "update"


def test_a_widget_that_was_refused_hears_that_the_kernel_is_idle():
    """Without it ipywidgets waits for an answer and sends nothing any more."""
    frame = update(SLIDER, {"max": 5})
    answer = refused(frame).answer
    assert (answer.channel, answer.msg_type) == ("iopub", "status")
    assert answer.content == {"execution_state": "idle"}
    assert answer.parent_header["msg_id"] == frame.header["msg_id"]
    assert answer.header["msg_id"] != frame.header["msg_id"]
    assert decode(encode(answer)) == answer


def test_what_a_kernel_closed_is_gone():
    known = comms()
    known.heard(told("comm_close", {"comm_id": SLIDER, "data": {}}))
    assert refused(update(SLIDER, {"value": 1}), known).code == "unknown_comm"
    known.heard(opened(SLIDER))
    assert passed(update(SLIDER, {"value": 1}), known)


def test_what_takes_somebody_is_told_from_what_happens_by_itself():
    assert passed(update(SLIDER, {"value": 7})).event.is_by_hand
    assert passed(custom(BUTTON, {"event": "click"})).event.is_by_hand
    assert not passed(update(SLIDER, {"_view_count": 1})).event.is_by_hand
