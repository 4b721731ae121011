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


def hears(frame, known=None, *, incident="4F2A", cell_of=lambda msg_id: None):
    return shown(frame, known or comms(), cell_of=cell_of, incident=incident)


@pytest.mark.parametrize(
    ("msg_type", "content"),
    [
        ("stream", {"name": "stdout", "text": "x"}),
        ("display_data", {"data": {"text/plain": "1"}, "metadata": {"a": 1}}),
        ("execute_result", {"data": {}, "execution_count": 3}),
        ("update_display_data", {"data": {}, "transient": {"display_id": "d"}}),
        ("clear_output", {"wait": True}),
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
        *[(each, "display_data") for each in ("stdin", "control", "hb")],
    ],
)
def test_nothing_else_leaves_the_server(channel, msg_type):
    assert hears(told(msg_type, {"code": SOURCE}, channel=channel)) is None


@pytest.mark.security
def test_code_never_leaves_the_server_and_a_page_learns_which_cell_runs():
    frame = told("execute_input", {"code": SOURCE, "execution_count": 4})
    heard = hears(frame, cell_of={"run-7": 2}.get)
    assert heard.content == {"code": "", "execution_count": 4}
    assert heard.metadata == {"cell": 2}
    assert hears(frame, cell_of={"another": 2}.get) is None


@pytest.mark.security
@pytest.mark.parametrize("state", ["dead", "restarting", "terminating", None, ["idle"]])
def test_a_kernel_does_not_say_of_itself_that_it_died(state):
    frame = told("status", {"execution_state": state})
    assert hears(frame) is None


@pytest.mark.security
def test_exceptions_are_an_incident_unless_the_source_is_shown():
    frame = told("error", TRACEBACK)
    heard = hears(frame)
    assert SOURCE not in json.dumps(heard.content)
    assert "4F2A" in heard.content["evalue"]
    assert heard.content["traceback"] == [heard.content["evalue"]]
    assert hears(frame, incident=None).content == TRACEBACK


@pytest.mark.security
@pytest.mark.parametrize("name", ["stderr", "", None, "STDERR"])
def test_what_is_written_to_stderr_stays_unless_the_source_is_shown(name):
    frame = told("stream", {"name": name, "text": SOURCE})
    assert hears(frame) is None
    assert hears(frame, incident=None).content["text"] == SOURCE


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


def test_a_page_is_not_offered_subshells():
    content = {"supported_features": ["kernel subshells", "debugger"], "banner": "b"}
    heard = hears(told("kernel_info_reply", content, channel="shell"))
    assert heard.content == {"supported_features": ["debugger"], "banner": "b"}
    odd = told("kernel_info_reply", {"supported_features": [["x"]]}, channel="shell")
    assert hears(odd).content == {"supported_features": ["['x']"]}
    plain = told("kernel_info_reply", {"banner": "b"}, channel="shell")
    assert hears(plain).content == {"banner": "b"}


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
