"""The grid of a live page in a real browser, with widgets of a real kernel in its boxes."""

import pytest
from playwright.sync_api import Frame, Page, expect

from tests.browser.axe import serious_findings
from tests.gallery.layouts import at, dashboard, in_view
from tests.gallery.notebooks import code, markdown, notebook
from tests.runner.results.boxes import overlaps, rectangle
from tests.runner.sessions import test_in_browser as live_page
from tests.runner.sessions.test_in_browser import Seen

pytestmark = pytest.mark.browser

client, seen = live_page.client, live_page.seen

CONTROLS = """
import ipywidgets
slider = ipywidgets.IntSlider(value=3, max=10, description="Ward")
unit = ipywidgets.Dropdown(options=["Cardiology", "Surgery"], description="Unit")
display(ipywidgets.HBox([slider, unit]), ipywidgets.Button(description="Show"))
"""
WIDE = """
import pandas
pandas.DataFrame([range(20)] * 3, columns=[f"a long heading {n}" for n in range(20)])
"""
OUTPUT_WIDGET = """
import ipywidgets
out = ipywidgets.Output()
display(out, ipywidgets.Button(description="Show"))
"""
SECRET = (
    "import ipywidgets; print('secret steps'); ipywidgets.Button(description='Secret')"
)
NOTEBOOK = notebook(
    code("1", **in_view({"hidden": True})),
    code("2", **in_view(at(14, 0, 12, 2))),
    code("3", **in_view(at(4, 0, 4, 10))),
    code("4", **in_view(at(4, 4, 8, 10))),
    markdown("# Beds\n\nMove the slider.", metadata=in_view(at(0, 0, 12, 4))),
    **dashboard(),
)
#: What depends on where things stand; names of controls are their library's.
RULES = ["scrollable-region-focusable", "color-contrast", "landmark-unique"]
HIDDEN, FOOT, LEFT, RIGHT = 0, 1, 2, 3


def started(seen: Seen) -> Frame:
    """The page after all cells were executed."""
    seen.peer.page["notebook"] = NOTEBOOK
    live = seen.open()
    seen.peer.execute(HIDDEN, SECRET)
    seen.peer.execute(FOOT, "print('the foot')")
    seen.peer.execute(LEFT, CONTROLS)
    seen.peer.execute(RIGHT, WIDE)
    live.get_by_role("slider").wait_for()
    live.get_by_text("heading 19").wait_for()
    return live


def cell(live: Frame | Page, index: int) -> dict[str, float]:
    return rectangle(live.locator(f"[data-cell='{index}']"))


def test_cells_show_in_their_places_and_hidden_ones_nowhere(seen):
    live = started(seen)
    seen.waits_for("Ready")
    head = rectangle(live.locator(".cs-words"))
    left, right, foot = (cell(live, index) for index in (LEFT, RIGHT, FOOT))
    assert head["x"] == left["x"] == foot["x"]
    assert head["y"] < left["y"] == right["y"] < foot["y"]
    assert right["x"] > left["x"] + left["width"]
    assert right["width"] > 1.9 * left["width"]
    assert overlaps(live, ".cs-box") == []
    expect(live.get_by_text("secret steps")).to_be_hidden()
    expect(live.locator("button", has_text="Secret")).to_be_hidden()
    assert seen.errors == []


def test_boxes_keep_their_places_while_nothing_is_in_them_yet(seen):
    seen.peer.page["notebook"] = NOTEBOOK
    live = seen.open()
    seen.waits_for("Starting…")
    before = cell(live, FOOT)
    seen.peer.execute(LEFT, "print('short')")
    live.get_by_text("short").wait_for()
    assert cell(live, FOOT) == before


def test_a_hidden_cell_is_counted_while_it_runs(seen):
    seen.peer.page["notebook"] = NOTEBOOK
    live = seen.open()
    seen.peer.change(HIDDEN, "started")
    seen.waits_for("Running cell 1 of 4")
    expect(live.locator(f"[data-cell='{HIDDEN}']")).to_be_hidden()


def test_that_a_hidden_cell_failed_is_told_without_what_else_it_shows(seen):
    seen.peer.page["notebook"] = NOTEBOOK
    live = seen.open()
    seen.peer.execute(HIDDEN, f"{SECRET}; display('mo' 're')\n1 / 0")
    seen.waits_for("Cell 1 ended with an error")
    expect(live.get_by_text("ZeroDivisionError").first).to_be_visible()
    expect(live.get_by_text("secret steps", exact=True)).to_be_hidden()
    expect(live.locator("pre", has_text="'more'").last).to_be_hidden()
    told = cell(live, HIDDEN)
    assert told["y"] + told["height"] <= rectangle(live.locator(".cs-words"))["y"]


def test_controls_in_boxes_answer(seen):
    live = started(seen)
    live.get_by_role("slider").press("ArrowRight")
    seen.peer.until(lambda: {"value": 4} in live_page.moved(seen.peer))


def test_the_tab_key_follows_the_eye(seen):
    live = started(seen)
    live.locator("html").evaluate("() => document.activeElement.blur()")
    order = []
    for _ in range(8):
        seen.page.keyboard.press("Tab")
        found = live.evaluate(
            "document.activeElement.closest('[data-cell]')?.dataset.cell"
        )
        order += [] if found in (None, *order[-1:]) else [found]
    assert order[:2] == [str(LEFT), str(RIGHT)]


def test_what_scrolls_can_be_reached_by_the_keyboard(seen):
    live = started(seen)
    table = live.locator(f"[data-cell='{RIGHT}'] .jp-OutputArea-output")
    expect(table).to_have_attribute("tabindex", "0")
    table.focus()
    seen.page.keyboard.press("ArrowRight")
    live.wait_for_function(
        "selector => document.querySelector(selector).scrollLeft > 0",
        arg=f"[data-cell='{RIGHT}'] .jp-OutputArea-output",
    )
    foot = live.locator(f"[data-cell='{FOOT}'] .jp-OutputArea-output")
    expect(foot).not_to_have_attribute("tabindex", "0")
    seen.page.set_viewport_size({"width": 200, "height": 900})
    longer = {"output_type": "stream", "name": "stdout", "text": "a line " * 40}
    seen.peer.change(FOOT, "set", index=0, output=longer)
    expect(foot).to_have_attribute("role", "region")


def test_what_fits_again_or_does_not_scroll_is_no_stop_of_the_keyboard(seen):
    live = started(seen)
    controls = live.locator(f"[data-cell='{LEFT}'] .jp-OutputArea-output").first
    seen.page.set_viewport_size({"width": 250, "height": 900})
    table = live.locator(f"[data-cell='{RIGHT}'] .jp-OutputArea-output")
    expect(table).to_have_attribute("aria-label", "Output")
    # Wider than its box, which shows all of it: the box of its cell is what scrolls.
    controls.evaluate(
        "node => { node.firstElementChild.style.minWidth = '60rem'; node.append('') }"
    )
    box = live.locator(f"[data-cell='{LEFT}']")
    expect(box).to_have_attribute("tabindex", "0")
    seen.page.wait_for_timeout(300)
    expect(controls).not_to_have_attribute("tabindex", "0")
    shorter = {"output_type": "stream", "name": "stdout", "text": "short"}
    seen.peer.change(RIGHT, "set", index=0, output=shorter)
    live.get_by_text("short").wait_for()
    again = live.locator(f"[data-cell='{RIGHT}'] .jp-OutputArea-output")
    expect(again).not_to_have_attribute("tabindex", "0")
    expect(again).not_to_have_attribute("role", "region")


def test_what_an_output_widget_shows_later_can_be_reached_too(seen):
    seen.peer.execute(LEFT, OUTPUT_WIDGET)
    seen.peer.page["notebook"] = NOTEBOOK
    live = seen.open()
    live.get_by_role("button", name="Show").wait_for()
    seen.peer.execute(RIGHT, "with out: print('a line ' * 100)")
    line = live.locator(".jp-RenderedText", has_text="a line").last
    expect(line).to_have_attribute("role", "region")
    expect(line).to_have_attribute("tabindex", "0")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 640, 641, 1280])
def test_it_holds_at_every_width(seen, scheme, width):
    started(seen)
    page = seen.page
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(seen.peer.base_url)
    page.get_by_role("slider").wait_for()
    page.get_by_text("heading 19").wait_for()
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert overlaps(page, ".cs-box") == []
    assert serious_findings(page, rules=RULES) == []
    tops = [rectangle(each)["y"] for each in page.locator(".cs-box").all()]
    assert tops == sorted(tops)
    if width <= 640:
        lefts = {rectangle(each)["x"] for each in page.locator(".cs-box").all()}
        assert len(lefts) == 1
    expect(page.get_by_text("secret steps")).to_be_hidden()
