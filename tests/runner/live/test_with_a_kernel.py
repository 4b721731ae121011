"""The conversation of a page with a real kernel and its ipywidgets, through the relay in both directions."""

import os
from collections.abc import Callable, Iterator
from queue import Empty
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

from runner.live.comms import Comms
from runner.live.frames import Frame, decode, encode
from runner.live.inbound import Passed, Refused, judge
from runner.live.mirror import Mirror
from runner.live.outbound import shown
from tests.runner.live.messages import CONTROL_OPEN, asked, header, update
from tests.support.environment import REPOSITORY

PYTHON = REPOSITORY / ".environments" / "python-analytics" / "bin" / "python"
WITHIN_S = 30.0
CELL = """
import ipywidgets
slider, label = ipywidgets.IntSlider(value=3, max=10), ipywidgets.Label("at 3")
button, out = ipywidgets.Button(), ipywidgets.Output()
slider.observe(lambda change: setattr(label, "value", f"at {change.new}"), "value")
def pressed(_):
    print("pressed")
    raise RuntimeError("secret_formula")
button.on_click(pressed)
display(slider, label, button, out)
"""


class Conversation:
    """A page at one end, a kernel at the other."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self.client = client
        self.comms = Comms()
        self.heard: list[Frame] = []

    def execute(self, source: str) -> None:
        """Execute a cell as the server does, and hear it to its end."""
        msg_id = self.client.execute(source)
        self.until(lambda frame: is_idle(frame, msg_id))

    def say(self, frame: Frame) -> Passed | Refused:
        """Let the page send something; what may pass reaches the kernel."""
        answer = judge(decode(encode(frame)), self.comms)
        if isinstance(answer, Passed):
            session, made = self.client.session, answer.frame
            message = session.msg(
                made.msg_type, made.content, header=made.header, metadata=made.metadata
            )
            session.send(
                self.client.shell_channel.socket, message, buffers=list(made.buffers)
            )
        return answer

    def until(self, is_it: Callable[[Frame], bool]) -> Frame:
        """Hear the kernel as the page does, until something comes."""
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=WITHIN_S)
            except Empty:
                kinds = [frame.msg_type for frame in self.heard]
                raise AssertionError(kinds) from None
            frame = shown(frame_of(message), self.comms, incident="4F2A")
            if frame is not None:
                self.heard.append(decode(encode(frame)))
                if is_it(self.heard[-1]):
                    return self.heard[-1]

    def widget(self, model: str) -> str:
        """The comm of the widget of this model that the page has heard of."""
        (found,) = [
            frame.content["comm_id"]
            for frame in self.heard
            if frame.msg_type == "comm_open"
            and frame.content["data"]["state"]["_model_name"] == model
        ]
        return str(found)


def frame_of(message: dict[str, Any]) -> Frame:
    """A kernel's message as jupyter_client read it."""

    def texts(given: dict[str, Any]) -> dict[str, Any]:
        return {
            name: value.isoformat() if name == "date" else value
            for name, value in given.items()
        }

    return Frame(
        "iopub",
        texts(message["header"]),
        texts(message["parent_header"]),
        {},
        message["content"],
        tuple(map(bytes, message["buffers"])),
    )


def is_idle(frame: Frame, parent: str) -> bool:
    """Whether the kernel says that it is done with a message."""
    return (
        frame.content.get("execution_state") == "idle"
        and frame.parent_header["msg_id"] == parent
    )


@pytest.fixture(scope="module")
def client() -> Iterator[BlockingKernelClient]:
    """A kernel of the environment that notebooks get."""
    argv = [str(PYTHON), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    manager = KernelManager()
    manager._kernel_spec = KernelSpec(argv=argv, language="python")
    manager.start_kernel(env=dict(os.environ))
    made = manager.client()
    made.start_channels()
    try:
        made.wait_for_ready(60)
        yield made
    finally:
        made.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.fixture
def conversation(client: BlockingKernelClient) -> Conversation:
    """A page in front of a slider, a label that follows it, and a button that fails."""
    made = Conversation(client)
    made.execute(CELL)
    return made


def state_of(comm_id: str, name: str) -> Callable[[Frame], bool]:
    """Whether a message tells the page a trait of a widget."""
    return lambda frame: (
        frame.msg_type == "comm_msg"
        and frame.content["comm_id"] == comm_id
        and name in frame.content["data"].get("state", {})
    )


def test_a_slider_moves_and_its_label_follows(conversation):
    slider, label = map(conversation.widget, ("IntSliderModel", "LabelModel"))
    assert isinstance(conversation.say(update(slider, {"value": 7})), Passed)
    followed = conversation.until(state_of(label, "value"))
    assert followed.content["data"]["state"]["value"] == "at 7"


def test_a_page_that_connects_learns_of_every_widget(conversation):
    slider = conversation.widget("IntSliderModel")
    later = Conversation(conversation.client)
    assert isinstance(later.say(update(slider, {"value": 5})), Refused)
    later.say(asked("comm_open", CONTROL_OPEN))
    later.say(
        asked("comm_msg", {"comm_id": "c-2", "data": {"method": "request_states"}})
    )
    told = later.until(lambda frame: frame.content.get("comm_id") == "c-2")
    assert told.content["data"]["states"][slider]["state"]["max"] == 10
    assert isinstance(later.say(update(slider, {"value": 5})), Passed)
    later.until(state_of(conversation.widget("LabelModel"), "value"))


def test_buffers_are_told_where_the_kernel_would_tell_them(conversation):
    conversation.execute("picture = ipywidgets.Image(value=b'of a ward')")
    picture, mirror = conversation.widget("ImageModel"), Mirror()
    for frame in conversation.heard:
        mirror.heard(frame, size_bytes=1)
    later = Conversation(conversation.client)
    later.say(asked("comm_open", {**CONTROL_OPEN, "comm_id": "c-3"}))
    later.say(
        asked("comm_msg", {"comm_id": "c-3", "data": {"method": "request_states"}})
    )
    told = later.until(lambda frame: frame.content.get("comm_id") == "c-3")
    data, buffers = mirror.states()
    assert places(data, buffers)[picture] == [(["state", "value"], b"of a ward")]
    theirs = places(told.content["data"], told.buffers)
    assert theirs[picture] == places(data, buffers)[picture]


def places(
    data: dict[str, Any], buffers: tuple[bytes, ...]
) -> dict[str, list[tuple[list[str], bytes]]]:
    """Where each widget's buffers stand."""
    found: dict[str, list[tuple[list[str], bytes]]] = {}
    for (comm_id, *path), buffer in zip(data["buffer_paths"], buffers, strict=True):
        found.setdefault(comm_id, []).append((path, buffer))
    return found


def test_a_button_s_failure_quotes_no_code(conversation):
    button = conversation.widget("ButtonModel")
    data = {"method": "custom", "content": {"event": "click"}}
    click = asked(
        "comm_msg",
        {"comm_id": button, "data": data},
        header=header("comm_msg", msg_id="click-1"),
    )
    assert isinstance(conversation.say(click), Passed)
    conversation.until(lambda frame: is_idle(frame, "click-1"))
    assert not any("secret_formula" in str(frame) for frame in conversation.heard)


@pytest.mark.security
def test_no_code_of_a_page_is_executed(conversation):
    heard = len(conversation.heard)
    for channel in ("shell", "control"):
        code = {"code": "print('executed')", "silent": False}
        frame = asked("execute_request", code, channel=channel)
        assert isinstance(conversation.say(frame), Refused)
    conversation.execute("1")
    assert "executed" not in str(conversation.heard[heard:])


@pytest.mark.security
def test_a_page_hears_none_of_a_cell_s_code(conversation):
    conversation.execute("formula = 'secret_formula'\nformula")
    assert {frame.msg_type for frame in conversation.heard} == {"comm_open", "status"}
    assert not any("formula" in str(frame) for frame in conversation.heard)
