"""Many widgets, many outputs and outputs in each other on a live page: all are there, in order, and answer."""

import pytest
from playwright.sync_api import FrameLocator, expect

from tests.browser.conftest import Open
from tests.browser.test_live_pages import FIRST_MS, open_live, widgets

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("kernel_host", "data_cluster", "celery_worker"),
]

BUTTONS = """
import ipywidgets
told = ipywidgets.Label("none pressed")
def pressed(button):
    told.value = f"pressed {button.description}"
buttons = [ipywidgets.Button(description=f"Ward {number}") for number in range(1, 401)]
for button in buttons:
    button.on_click(pressed)
display(told, ipywidgets.VBox(buttons))
"""
OUTPUTS = """
import ipywidgets
def put_out(start):
    for number in range(start, start + 500):
        if number % 5:
            display(number)
        else:
            print(number, flush=True)
put_out(0)
button = ipywidgets.Button(description="More")
button.on_click(lambda _: put_out(500))
display(button)
"""
NESTED = """
import ipywidgets
inner, outer = ipywidgets.Output(), ipywidgets.Output()
button, rows = ipywidgets.Button(description="Again"), ipywidgets.Label("0 times")
display(button, rows, ipywidgets.Tab([outer], titles=["Beds"]))
with outer:
    print("before")
    display(inner)
with inner:
    print("in the inner one")
    raise RuntimeError("secret_formula")
with outer:
    print("after")
def again(_):
    rows.value = "1 times"
    with outer:
        with inner:
            inner.clear_output()
            print("in the callback")
            raise ValueError("secret_formula")
button.on_click(again)
"""
INCIDENT = "This could not be shown. Quote incident"


def test_four_hundred_buttons_are_there_and_the_last_one_answers(
    open_as: Open,
) -> None:
    frame = open_live(open_as("adams"), widgets(BUTTONS))
    buttons = frame.get_by_role("button", name="Ward")
    expect(buttons).to_have_count(400, timeout=FIRST_MS)
    buttons.last.click()
    expect(frame.get_by_text("pressed Ward 400")).to_be_visible()


def numbers(frame: FrameLocator) -> list[int]:
    """What cells show, without the button, as numbers in their order."""
    shown = frame.locator("[data-cell] .jp-RenderedText").all_inner_texts()
    return [int(word) for text in shown for word in text.split()]


def test_five_hundred_quick_outputs_are_complete_and_in_order(open_as: Open) -> None:
    """In a cell, and in a callback."""
    frame = open_live(open_as("adams"), widgets(OUTPUTS))
    more = frame.get_by_role("button", name="More")
    expect(more).to_be_visible(timeout=FIRST_MS)
    assert numbers(frame) == list(range(500))
    more.click()
    expect(frame.get_by_text("999", exact=True)).to_be_visible(timeout=FIRST_MS)
    assert numbers(frame) == list(range(1000))


def test_outputs_in_each_other_show_their_failure_in_its_place(open_as: Open) -> None:
    page = open_as("adams")
    frame = open_live(page, widgets(NESTED, "print('last cell')"))
    expect(frame.get_by_text("last cell")).to_be_visible(timeout=FIRST_MS)
    outer = frame.locator(".widget-tab-contents .jp-OutputArea").first
    expect(outer.get_by_text("after")).to_be_visible()
    inner = outer.locator(".jp-OutputArea")
    expect(inner.get_by_text("in the inner one")).to_be_visible()
    expect(inner.get_by_text(INCIDENT)).to_be_visible()
    frame.get_by_role("button", name="Again").click()
    expect(inner.get_by_text("in the callback")).to_be_visible()
    expect(inner.get_by_text(INCIDENT)).to_have_count(1)
    expect(frame.get_by_text("1 times")).to_be_visible()
    expect(frame.get_by_text("in the inner one")).to_have_count(0)
    expect(frame.get_by_text("Ready")).to_be_visible()
    assert "secret_formula" not in page.frames[-1].content()
