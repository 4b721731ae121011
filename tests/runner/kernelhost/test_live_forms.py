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
        page.until_rest()
        page.session.end()
        last = page.ended()
    assert last["truncated"] == []
    assert (last["status"], last["notebook"]["cells"][3]["outputs"][0]["text"]) == (
        "succeeded",
        "hello Bob\n",
    )


RUN_BELOW = (
    BLOCKED,
    "%load_ext ipython_blocking",
    "%blockrun button",
    "print('hello', name.value)",
    "print('below')",
)


def test_each_further_click_of_a_blockrun_runs_all_cells_below_it_anew(host) -> None:
    with LivePage(host, *RUN_BELOW, environment="python-forms") as page:
        page.until_event("cell_waiting", cell=2)
        name, button = page.widget("TextModel"), page.widget("ButtonModel")
        page.move(name, value="Bob")
        page.click(button)
        page.until_rest()
        page.move(name, value="Ann")
        before = len(page.events)
        page.click(button)
        page.until_rest()
        page.move(name, value="Eve")
        page.click(button)
        page.until_rest()
        page.session.end()
        last = page.ended()
    told = [
        (event["event"], event["cell"])
        for event in page.events[before:]
        if "cell" in event
    ]
    once = [
        *(("outputs_cleared", 3), ("outputs_cleared", 4)),
        *(("cell_started", 3), ("output", 3), ("cell_finished", 3)),
        *(("cell_started", 4), ("output", 4), ("cell_finished", 4)),
    ]
    assert told == once * 2
    cells = last["notebook"]["cells"]
    texts = [[each["text"] for each in cell["outputs"]] for cell in cells[3:]]
    assert (last["status"], texts) == ("succeeded", [["hello Eve\n"], ["below\n"]])
    # ipython_blocking asks for it in JavaScript, of a front end that is not there.
    assert "Javascript" not in str(cells)


def test_clicks_while_the_cells_below_run_are_answered_by_one_more_run(host) -> None:
    slow = "import time\ntime.sleep(1.5)\nprint('hello', name.value)"
    cells = (*RUN_BELOW[:3], slow)
    with LivePage(host, *cells, environment="python-forms") as page:
        page.until_event("cell_waiting", cell=2)
        button = page.widget("ButtonModel")
        page.click(button)
        page.until_event("cell_started", cell=3)
        page.move(page.widget("TextModel"), value="Bob")
        for _ in range(5):
            page.click(button)
        page.until_rest()
        page.until_rest()
        time.sleep(2)
        page.session.end()
        last = page.ended()
    started = [each for each in page.events if each["event"] == "cell_started"]
    assert [each["cell"] for each in started] == [0, 1, 2, 3, 3]
    assert last["notebook"]["cells"][3]["outputs"][0]["text"] == "hello Bob\n"


def test_a_blockrun_that_waited_in_vain_is_answered_later(host) -> None:
    cells = (*RUN_BELOW[:2], "%blockrun button -t 4", *RUN_BELOW[3:])
    with LivePage(host, *cells, environment="python-forms") as page:
        page.until_rest()
        page.move(page.widget("TextModel"), value="Bob")
        page.click(page.widget("ButtonModel"))
        output = page.until_event("output", cell=3)
    assert output["output"]["text"] == "hello Bob\n"


def test_a_session_that_is_ended_while_cells_run_anew_is_cancelled(host) -> None:
    cells = (*RUN_BELOW[:3], "import time\ntime.sleep(0 if name.value == '' else 60)")
    with LivePage(host, *cells, environment="python-forms") as page:
        page.until_event("cell_waiting", cell=2)
        button = page.widget("ButtonModel")
        page.click(button)
        page.until_rest()
        page.move(page.widget("TextModel"), value="Bob")
        page.click(button)
        page.until_event("cell_started", cell=3)
        page.session.end()
        assert page.ended()["status"] == "cancelled"


def test_a_cell_that_fails_when_it_is_run_anew_ends_the_session(host) -> None:
    cells = (*RUN_BELOW[:3], "assert name.value == ''", "print('not reached')")
    with LivePage(host, *cells, environment="python-forms") as page:
        page.until_event("cell_waiting", cell=2)
        page.click(page.widget("ButtonModel"))
        page.until_rest()
        page.move(page.widget("TextModel"), value="Bob")
        page.click(page.widget("ButtonModel"))
        last = page.ended()
    assert (last["status"], last["error"]["cell"]) == ("failed", 3)
    assert last["notebook"]["cells"][4]["outputs"] == []


def test_code_that_speaks_as_ipython_blocking_does_runs_nothing(host) -> None:
    """Only a reader's click does, so that no notebook runs for ever by itself."""
    javascript = "Jupyter.notebook.select_next().execute_cells_below()"
    shows = (
        f"from IPython.display import Javascript\ndisplay(Javascript({javascript!r}))"
    )
    with LivePage(host, shows, "print('below')") as page:
        page.until_rest()
        time.sleep(1)
        page.session.end()
        assert page.ended()["status"] == "succeeded"
    started = [each for each in page.events if each["event"] == "cell_started"]
    assert len(started) == 2


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
        page.until_rest()
        page.move(page.widget("IntSliderModel"), value=4)
        assert page.ended()["status"] == "timed_out"


def test_a_slow_cell_after_another_is_not_waiting(host) -> None:
    """A question that was asked during a cell says nothing of the next one."""
    with LivePage(host, "import time\ntime.sleep(2)", "time.sleep(4)") as page:
        page.until_rest()
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
        page.until_rest()
        for word in ("one", "two", "three"):
            page.click(page.widget("ButtonModel"))
            time.sleep(0.5)
            page.move(page.widget("TextModel"), value=word)
            page.until(lambda event, word=word: word in str(event.get("output")))
        time.sleep(6)
        moved = page.move(page.widget("TextModel"), value="later")
        page.until_frame(lambda frame: is_idle(frame, moved))
