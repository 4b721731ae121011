"""Live sessions at the kernel host: widgets answer, forms are waited for, and nothing stays behind."""

import time

import pytest

from runner.kernelhost import client
from runner.live.frames import MAX_FRAME_BYTES, Frame, encode
from tests.runner.kernelhost.live_page import LivePage, is_idle, state_of
from tests.runner.live.messages import header

WIDGETS = """
import ipywidgets
slider, label = ipywidgets.IntSlider(value=3, max=10), ipywidgets.Label("at 3")
slider.observe(lambda change: setattr(label, "value", f"at {change.new}"), "value")
display(slider, label)
"""
CAPTURING = """
button, out = ipywidgets.Button(), ipywidgets.Output()
def pressed(_):
    with out:
        print("one")
        print("two")
        raise RuntimeError("in the widget")
button.on_click(pressed)
display(button, out)
"""


def test_a_slider_moves_a_label_after_the_cells_are_done(host) -> None:
    with LivePage(host, WIDGETS, "print('last')") as page:
        page.until_rest()
        slider, label = page.widget("IntSliderModel"), page.widget("LabelModel")
        moved = page.move(slider, value=7)
        told = page.until_frame(lambda frame: state_of(frame).get("value") == "at 7")
        assert (told.content["comm_id"], told.parent_header["msg_id"]) == (label, moved)
        page.until_frame(lambda frame: is_idle(frame, moved))
        page.session.end()
        last = page.ended()
    assert (last["status"], last["error"]) == ("succeeded", None)
    assert last["notebook"]["cells"][1]["outputs"][0]["text"] == "last\n"


def test_a_cell_for_live_pages_is_executed_in_one(host) -> None:
    cell = {"source": "print('asked')", "metadata": {"tags": ["live-only"]}}
    with LivePage(host, cell) as page:
        page.until_event("output", cell=0)


def test_an_output_widget_is_told_to_the_page_and_to_the_kernel(host) -> None:
    seen = "out.observe(lambda told: print(len(told.new), 'held'), 'outputs')"
    with LivePage(host, WIDGETS, CAPTURING, seen) as page:
        page.until_rest()
        out = page.widget("OutputModel")
        page.click(page.widget("ButtonModel"))
        told = page.until_frame(
            lambda frame: len(state_of(frame).get("outputs", ())) == 2
        )
        assert told.content["comm_id"] == out
        stream, error = state_of(told)["outputs"]
        assert (stream["output_type"], stream["text"]) == ("stream", "one\ntwo\n")
        assert (error["output_type"], error["evalue"]) == ("error", "in the widget")
        # The kernel learns of it after its callback.
        page.until(lambda event: event.get("output", {}).get("text") == "2 held\n")
    assert [
        frame
        for frame in page.frames
        if frame.content.get("data", {}).get("method") == "echo_update"
    ] == []


def test_what_a_callback_prints_bare_belongs_to_the_last_cell(host) -> None:
    bare = "slider.observe(lambda change: print('bare', change.new), 'value')"
    with LivePage(host, WIDGETS, bare) as page:
        page.until_rest()
        page.move(page.widget("IntSliderModel"), value=4)
        page.until_event("output", cell=1)
        page.session.end()
        assert page.ended()["notebook"]["cells"][1]["outputs"][0]["text"] == "bare 4\n"


def test_a_display_is_updated_by_a_callback(host) -> None:
    cell = """
import ipywidgets
shown = display("before", display_id=True)
button = ipywidgets.Button()
button.on_click(lambda _: shown.update("after"))
display(button)
"""
    with LivePage(host, cell) as page:
        page.until_rest()
        page.click(page.widget("ButtonModel"))
        updated = page.until_event("output_updated", cell=0, index=0)
    assert updated["output"]["data"]["text/plain"] == "'after'"


@pytest.mark.parametrize(
    "kind", ["execute_request", "comm_open", "shutdown_request", "input_reply"]
)
@pytest.mark.security
def test_nothing_but_a_widget_s_message_is_sent_to_a_kernel(host, kind: str) -> None:
    """The last of three doors: the page's socket and the worker have refused it already."""
    with LivePage(host, WIDGETS) as page:
        page.until_rest()
        content = {
            "code": "print('through')",
            "comm_id": "x",
            "target_name": "jupyter.widget",
        }
        heads = [
            header(kind, msg_id=f"m-{channel}") for channel in ("shell", "control")
        ]
        for channel, head in zip(("shell", "control"), heads, strict=True):
            page.session.say(encode(Frame(channel, head, content=content)))
        moved = page.move(page.widget("IntSliderModel"), value=1)
        page.until_frame(lambda frame: is_idle(frame, moved))
        parents = {frame.parent_header.get("msg_id") for frame in page.frames}
    assert moved in parents
    assert parents.isdisjoint({head["msg_id"] for head in heads})
    shown = [event["output"] for event in page.events if event["event"] == "output"]
    assert [output for output in shown if output["output_type"] == "stream"] == []


def test_garbage_from_the_worker_ends_nothing(host) -> None:
    with LivePage(host, WIDGETS) as page:
        page.until_rest()
        page.session.say(b"no frame")
        page.session._send({"op": "frame", "frame": "*"})
        page.session._send({"op": "dance"})
        moved = page.move(page.widget("IntSliderModel"), value=1)
        page.until_frame(lambda frame: is_idle(frame, moved))


def test_a_session_ends_with_its_wall_clock(host) -> None:
    with LivePage(host, WIDGETS, wall_clock_s=2) as page:
        page.until_rest()
        assert page.ended()["status"] == "timed_out"


def test_a_kernel_that_dies_is_said_to_have_died(host) -> None:
    fatal = "import os\nslider.observe(lambda _: os._exit(1), 'value')"
    with LivePage(host, WIDGETS, fatal) as page:
        page.until_rest()
        page.move(page.widget("IntSliderModel"), value=4)
        last = page.ended()
    assert (last["status"], last["notebook"]["cells"][0]["outputs"] != []) == (
        "kernel_died",
        True,
    )


def test_the_first_cell_that_fails_ends_it(host) -> None:
    with LivePage(host, WIDGETS, "1/0", "print('never')") as page:
        last = page.ended()
    assert (last["status"], last["error"]["cell"]) == ("failed", 1)
    assert last["notebook"]["cells"][2]["outputs"] == []


def test_an_end_before_the_cells_are_done_is_a_cancellation(host) -> None:
    with LivePage(host, WIDGETS, "import time\ntime.sleep(60)") as page:
        page.until_event("cell_started", cell=1)
        page.session.end()
        assert page.ended()["status"] == "cancelled"


def test_a_page_that_is_gone_takes_its_kernel_with_it(host) -> None:
    with LivePage(host, WIDGETS) as page:
        page.until_rest()
        assert host.kernel_processes()
    deadline = time.monotonic() + 10
    while host.kernel_processes():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_widgets_that_hold_too_much_end_the_session(host) -> None:
    flood = """
import ipywidgets
out = ipywidgets.Output()
display(out)
with out:
    for _ in range(100):
        print("x" * 10_000)
"""
    with LivePage(host, flood, output_bytes=100_000) as page:
        assert page.ended()["status"] == "output_limit"


def test_much_may_be_shown_as_long_as_a_reader_asks_for_it(host) -> None:
    """A limit of a whole run would end a dashboard by its use."""
    cell = """
import ipywidgets
slider = ipywidgets.IntSlider(max=100)
drawn = display("", display_id=True)
slider.observe(lambda change: drawn.update(str(change.new) * 20_000), "value")
display(slider)
"""
    with LivePage(
        host, cell, output_bytes=60_000, output_bytes_per_cell=50_000
    ) as page:
        page.until_rest()
        for value in range(1, 30):
            moved = page.move(page.widget("IntSliderModel"), value=value)
            page.until_frame(lambda frame, moved=moved: is_idle(frame, moved))
        page.session.end()
        assert page.ended()["status"] == "succeeded"


def test_five_hundred_quick_outputs_arrive_in_order_and_once(host) -> None:
    with LivePage(host, "for n in range(500): display(n)") as page:
        page.until_rest()
    numbers = [
        event["output"]["data"]["text/plain"]
        for event in page.events
        if event["event"] == "output"
    ]
    assert numbers == [str(number) for number in range(500)]


def test_widgets_that_say_more_than_a_worker_takes_end_the_session(host) -> None:
    flood = """
import ipywidgets
label = ipywidgets.Label()
for n in range(500):
    label.value = str(n) + "x" * 1_000_000
"""
    with LivePage(host, flood) as page:
        page.pause()
        time.sleep(4)
        held_bytes = host.rss_bytes()
        page.resume()
        last = page.ended()
    assert last["status"] == "output_limit"
    assert held_bytes < 600_000_000


@pytest.mark.security
def test_a_page_that_floods_a_busy_kernel_holds_up_nobody_else(host) -> None:
    """Other runs' clocks, cancellations and answers are in the same loop."""
    with LivePage(host, WIDGETS, "import time\ntime.sleep(12)") as page:
        page.until_event("cell_started", cell=1)
        slider = page.widget("IntSliderModel")
        for n in range(6_000):
            page.move(slider, value=n % 10)
        began = time.monotonic()
        assert client.status(host.socket)["ok"]
        assert time.monotonic() - began < 5
        last = page.move(slider, value=1)
        page.until_frame(
            lambda frame: is_idle(frame, last)
        )  # dropped, and said to be done
        page.until_rest()


@pytest.mark.security
def test_the_largest_message_of_a_page_reaches_the_host(host) -> None:
    with LivePage(host, WIDGETS) as page:
        page.until_rest()
        slider = page.widget("IntSliderModel")
        data = {"method": "update", "state": {}, "buffer_paths": [["value"]]}
        content = {"comm_id": slider, "data": data}
        head = header("comm_msg", msg_id="large")
        large = (bytes(MAX_FRAME_BYTES - 2_000),)
        page.session.say(encode(Frame("shell", head, content=content, buffers=large)))
        moved = page.move(slider, value=2)
        page.until_frame(lambda frame: is_idle(frame, moved))


@pytest.mark.security
def test_a_message_that_cannot_be_written_is_not_passed_on(host) -> None:
    odd = """
import json
kernel = get_ipython().kernel
kernel.session.pack = lambda value: json.dumps(value, default=str).encode()
kernel.session.send(kernel.iopub_socket, "comm_msg", {"comm_id": "x", "data": {}},
    parent=kernel.get_parent(), ident=b"comm", metadata={"version": "\\ud800"})
kernel.session.send(kernel.iopub_socket, "comm_open", {"comm_id": "y" * 10_000, "data": {}},
    parent=kernel.get_parent(), ident=b"comm")
"""
    with LivePage(host, odd, "print('after')") as page:
        page.until_event("output", cell=1)
        page.session.end()
        assert page.ended()["status"] in {"succeeded", "cancelled"}
    assert not [
        frame for frame in page.frames if frame.content.get("comm_id") == "y" * 10_000
    ]
