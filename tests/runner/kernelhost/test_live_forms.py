"""Cells and callbacks that wait for their reader, and those that work too long, in live sessions."""

import time

from tests.runner.kernelhost.live_page import LivePage, is_idle
from tests.runner.kernelhost.test_live import WIDGETS

BLOCKED = """
import ipywidgets, ipython_blocking, time
name, button = ipywidgets.Text(), ipywidgets.Button()
display(name, button)
"""


def test_a_cell_of_ipython_blocking_waits_and_the_time_does_not_count(host) -> None:
    cells = [
        BLOCKED,
        "get_ipython().run_line_magic('load_ext', 'ipython_blocking')",
        "%block button",
        "print('hello', name.value)",
    ]
    with LivePage(host, *cells, environment="python-forms", cell_s=2) as page:
        page.until_event("cell_waiting", cell=2)
        time.sleep(3)
        page.move(page.widget("TextModel"), value="Bob")
        page.click(page.widget("ButtonModel"))
        page.until_event("cells_finished")
        page.session.end()
        last = page.ended()
    assert last["truncated"] == []
    assert (last["status"], last["notebook"]["cells"][3]["outputs"][0]["text"]) == (
        "succeeded",
        "hello Bob\n",
    )


def test_a_cell_of_jupyter_ui_poll_waits(host) -> None:
    poll = """
from jupyter_ui_poll import ui_events
done = []
button.on_click(lambda _: done.append(name.value))
with ui_events() as poll:
    while not done:
        poll(10)
        time.sleep(0.05)
print("done", done)
"""
    with LivePage(host, BLOCKED, poll, environment="python-forms") as page:
        page.until_event("cell_waiting", cell=1)
        page.move(page.widget("TextModel"), value="Ann")
        page.click(page.widget("ButtonModel"))
        output = page.until_event("output", cell=1)
    assert output["output"]["text"] == "done ['Ann']\n"


def test_a_cell_that_awaits_waits(host) -> None:
    """Kernels from 7.4 on take widgets' messages while a cell awaits."""
    awaits = """
import asyncio
while slider.value == 3:
    await asyncio.sleep(0.05)
print("moved to", slider.value)
"""
    with LivePage(host, WIDGETS, awaits) as page:
        page.until_event("cell_started", cell=1)
        page.move(page.widget("IntSliderModel"), value=9)
        output = page.until_event("output", cell=1)
    assert output["output"]["text"] == "moved to 9\n"


def test_a_cell_that_works_too_long_is_stopped(host) -> None:
    with LivePage(host, "while True: pass", cell_s=1) as page:
        last = page.ended()
    assert (last["status"], last["error"]["cell"]) == ("timed_out", 0)


def test_a_callback_that_works_too_long_is_stopped(host) -> None:
    endless = "slider.observe(lambda _: [None for _ in iter(int, 1)], 'value')"
    with LivePage(host, WIDGETS, endless, cell_s=1) as page:
        page.until_event("cells_finished")
        page.move(page.widget("IntSliderModel"), value=4)
        assert page.ended()["status"] == "timed_out"


def test_a_slow_cell_after_another_is_not_waiting(host) -> None:
    """A question that was asked during a cell says nothing of the next one."""
    with LivePage(host, "import time\ntime.sleep(2)", "time.sleep(4)") as page:
        page.until_event("cells_finished")
    assert [event for event in page.events if event["event"] == "cell_waiting"] == []


def test_a_cell_that_answers_now_and_then_and_computes_in_between_runs_into_its_limit(
    host,
) -> None:
    cheat = """
from jupyter_ui_poll import ui_events
with ui_events() as poll:
    while True:
        poll(10)
        until = time.monotonic() + 1.2
        while time.monotonic() < until:
            pass
"""
    with LivePage(host, BLOCKED, cheat, environment="python-forms", cell_s=4) as page:
        assert page.ended()["status"] == "timed_out"


def test_callbacks_that_serve_others_leave_nothing_open(host) -> None:
    """Such a callback hears of the end of another twice, and of its own never."""
    cell = """
import ipywidgets, time
from jupyter_ui_poll import ui_events
ask, answer, done = ipywidgets.Button(), ipywidgets.Text(), []
def asks(_):
    done.clear()
    with ui_events() as poll:
        while not done:
            poll(10)
            time.sleep(0.05)
    print("answered", done[0])
ask.on_click(asks)
answer.observe(lambda change: done.append(change.new), "value")
display(ask, answer)
"""
    with LivePage(host, cell, environment="python-forms", cell_s=4) as page:
        page.until_event("cells_finished")
        for word in ("one", "two", "three"):
            page.click(page.widget("ButtonModel"))
            time.sleep(0.5)
            page.move(page.widget("TextModel"), value=word)
            page.until(lambda event, word=word: word in str(event.get("output")))
        time.sleep(6)
        moved = page.move(page.widget("TextModel"), value="later")
        page.until_frame(lambda frame: is_idle(frame, moved))
