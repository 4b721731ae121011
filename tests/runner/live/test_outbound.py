"""What a page hears of a kernel: everything that is shown, in no other words than it may."""

import json

import pytest

from runner.live.comms import Comms
from runner.live.frames import KERNEL_SESSION, Frame, decode, encode
from runner.live.inbound import Passed, idle, judge
from runner.live.outbound import shown, told_output
from tests.runner.live.messages import (
    HEADING,
    OUTPUTS,
    SLIDER,
    comms,
    header,
    opened,
    told,
    update,
)

SOURCE = "connect(dose=secret_formula)"
TRACEBACK = {
    "ename": "ValueError",
    "evalue": f"in {SOURCE}",
    "traceback": [f"----> 1 {SOURCE}"],
}


def hears(frame, known=None, *, incident="4F2A"):
    return shown(frame, known or comms(), incident=incident)


@pytest.mark.parametrize(
    ("msg_type", "content"),
    [
        ("status", {"execution_state": "busy"}),
        ("comm_open", {"comm_id": "x", "target_name": "other", "data": {}}),
        ("comm_msg", {"comm_id": SLIDER, "data": {"method": "update", "state": {}}}),
        ("comm_close", {"comm_id": SLIDER, "data": {}}),
    ],
)
def test_what_is_shown_passes_whole_with_its_buffers(msg_type, content):
    heard = hears(told(msg_type, content, buffers=(b"\x01",)))
    assert (heard.msg_type, heard.content, heard.buffers) == (
        msg_type,
        content,
        (b"\x01",),
    )
    assert heard.parent_header["msg_id"] == "run-7"
    assert decode(encode(heard)) == heard


@pytest.mark.security
@pytest.mark.parametrize(
    ("channel", "msg_type"),
    [
        *[("shell", each) for each in ("execute_reply", "complete_reply", "stream")],
        *[("shell", each) for each in ("inspect_reply", "history_reply", "error")],
        *[
            ("iopub", each)
            for each in ("debug_event", "input_request", "iopub_welcome")
        ],
        *[("iopub", each) for each in ("kernel_info_reply", "shutdown_reply", "")],
        *[("iopub", each) for each in ("execute_input", "stream", "error")],
        *[("iopub", each) for each in ("display_data", "execute_result")],
        *[("iopub", each) for each in ("update_display_data", "clear_output")],
        *[("shell", each) for each in ("comm_msg", "kernel_info_reply", "status")],
        *[(each, "display_data") for each in ("stdin", "control", "hb")],
    ],
)
def test_nothing_else_leaves_the_server(channel, msg_type):
    assert hears(told(msg_type, {"code": SOURCE}, channel=channel)) is None


@pytest.mark.security
@pytest.mark.parametrize("state", ["dead", "restarting", "terminating", None, ["idle"]])
def test_a_kernel_does_not_say_of_itself_that_it_died(state):
    frame = told("status", {"execution_state": state})
    assert hears(frame) is None


HELD = [
    {"output_type": "stream", "name": "stdout", "text": "kept"},
    {"output_type": "stream", "name": "stderr", "text": SOURCE},
    {"output_type": "error", **TRACEBACK},
]


@pytest.mark.security
def test_what_an_output_widget_holds_is_as_quiet():
    known = comms()
    changed = {
        "comm_id": OUTPUTS,
        "data": {"method": "update", "state": {"outputs": HELD}},
    }
    entry = {
        "model_module": "@jupyter-widgets/output",
        "model_name": "OutputModel",
        "state": {"outputs": HELD},
    }
    every = {"method": "update_states", "states": {OUTPUTS: entry, HEADING: {}}}
    opening = opened(OUTPUTS)
    opening.content["data"]["state"]["outputs"] = HELD
    for frame in (
        told("comm_msg", changed),
        told("comm_msg", {"comm_id": "control", "data": every}),
        opening,
    ):
        heard = json.dumps(hears(frame, known).content)
        assert SOURCE not in heard
        assert "kept" in heard
        assert "4F2A" in heard
        assert SOURCE in json.dumps(hears(frame, known, incident=None).content)
    assert HELD[1]["text"] == SOURCE, "the record keeps what the page does not hear"


def test_other_widgets_may_have_a_trait_of_that_name():
    content = {"comm_id": SLIDER, "data": {"state": {"outputs": HELD}}}
    assert hears(told("comm_msg", content)).content == content


@pytest.mark.parametrize("data", [None, [], {"state": None}, {"states": {"x": None}}])
def test_data_of_another_shape_passes_as_it_is(data):
    for comm_id in (OUTPUTS, "control"):
        frame = told("comm_msg", {"comm_id": comm_id, "data": data})
        assert hears(frame).content["data"] == data


@pytest.mark.security
def test_headers_are_made_anew():
    frame = Frame(
        "iopub",
        {**header("status"), "subshell_id": "s", "date": 5},
        {**header("x"), "code": SOURCE},
        {"started": "now"},
        {"execution_state": "idle"},
    )
    heard = hears(frame)
    assert set(heard.header) == set(header("")) - {"date"}
    assert set(heard.parent_header) == set(header(""))
    assert heard.metadata == {}


def test_a_widget_keeps_the_version_of_its_protocol():
    assert hears(opened(SLIDER)).metadata == {"version": "2.1.0"}


def test_whoever_hears_of_a_widget_may_write_to_it():
    """Both sides of the relay learn from the same messages in the same order."""
    known = Comms()
    assert not isinstance(judge(update(SLIDER, {"value": 1}), known), Passed)
    hears(opened(SLIDER), known)
    assert isinstance(judge(update(SLIDER, {"value": 1}), known), Passed)


def test_every_message_is_of_one_session():
    """Front ends drop what they have queued as soon as another session speaks."""
    heard = hears(told("status", {"execution_state": "busy"}))
    assert heard.header["session"] == KERNEL_SESSION
    assert idle(header("comm_msg")).header["session"] == KERNEL_SESSION


@pytest.mark.security
def test_what_an_output_widget_listens_to_is_no_page_s_business():
    data = {"method": "update", "state": {"msg_id": "m-1", "outputs": []}}
    heard = hears(told("comm_msg", {"comm_id": OUTPUTS, "data": data}), incident=None)
    assert heard.content["data"]["state"] == {"outputs": []}


@pytest.mark.security
@pytest.mark.parametrize("kind", ["application/javascript", "text/javascript"])
def test_no_script_is_told(kind):
    script = {"output_type": "display_data", "data": {kind: "alert(1)"}, "metadata": {}}
    assert told_output(script, None) is None
    both = {**script, "data": {kind: "alert(1)", "text/plain": "x"}}
    assert told_output(both, None)["data"] == {"text/plain": "x"}
