"""A result's grid as browsers draw it: boxes in their places, none over another, at every width."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from runner.results.document import compose
from runner.results.rendering import render
from tests.browser.axe import serious_findings
from tests.gallery.layouts import at, dashboard, in_view
from tests.runner.results.boxes import SLACK_PX, overlaps, rectangle
from tests.runner.results.notebooks import (
    code,
    html,
    markdown,
    notebook,
    png,
    shown,
    stream,
)

pytestmark = pytest.mark.browser

WIDE = f"<table><thead><tr>{'<th>a heading</th>' * 30}</tr></thead><tbody><tr>{'<td>1</td>' * 30}</tr></tbody></table>"
COLUMNS = f"{'|a column' * 30}|"
TALL = "\n".join(f"row {number}" for number in range(60))
#: Cells in the notebook's order: what each shows, and its place in the grid.
PLACED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (code(stream("the foot")), at(20, 0, 12, 2)),
    (code(html(WIDE)), at(4, 0, 4, 6)),
    (code(stream(TALL)), at(4, 4, 8, 12)),
    (code(stream("secret steps")), {"hidden": True}),
    (markdown("# Beds in use\n\nWhom it shows."), at(0, 0, 12, 4)),
    (markdown(f"{COLUMNS}\n{'|-' * 30}|\n{COLUMNS}"), at(16, 0, 4, 1)),
    (code(shown({"image/png": png((900, 300))})), at(10, 0, 4, 6)),
]


@pytest.fixture
def page(_chromium: Browser) -> Iterator[Page]:
    context = _chromium.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def open_result(page: Page, width: int, scheme: str = "light") -> None:
    cells = [{**cell, "metadata": in_view(place)} for cell, place in PLACED]
    made = notebook(*cells, metadata=dashboard())
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.set_content(compose(render(made).html, title="Beds").decode())


def box(page: Page, text: str) -> dict[str, float]:
    return rectangle(page.locator(".cs-box", has=page.get_by_text(text).first))


def test_boxes_stand_beside_and_below_each_other_as_they_were_put(page: Page):
    open_result(page, 1280)
    head, wide = box(page, "Beds in use"), box(page, "a heading")
    tall, foot = box(page, "row 0"), box(page, "the foot")
    picture = rectangle(page.locator(".cs-box", has=page.locator("img")))
    assert head["x"] == wide["x"] == picture["x"] == foot["x"]
    assert head["width"] == foot["width"]
    assert tall["width"] > 1.9 * wide["width"]
    assert tall["x"] > wide["x"] + wide["width"]
    assert wide["y"] == tall["y"] > head["y"]
    assert 0 < picture["y"] - wide["y"] < 220, "what is tall moves nothing beside it"
    assert foot["y"] >= max(each["y"] + each["height"] for each in (tall, picture))
    assert overlaps(page, ".cs-box") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 640, 641, 1280, 1920])
def test_nothing_overlaps_sticks_out_or_is_cut_off_at_any_width(
    page: Page, width: int, scheme: str
):
    open_result(page, width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert overlaps(page, ".cs-box") == []
    assert page.get_by_text("secret steps").count() == 0
    assert serious_findings(page) == []
    last = page.get_by_text("row 59")
    last.scroll_into_view_if_needed()
    seen, around = rectangle(page.locator(".cs-text", has=last)), box(page, "row 0")
    assert seen["y"] + seen["height"] <= around["y"] + around["height"] + SLACK_PX


@pytest.mark.parametrize("width", [320, 640])
def test_on_a_phone_there_is_one_column_in_reading_order(page: Page, width: int):
    open_result(page, width)
    boxes = [rectangle(each) for each in page.locator(".cs-box").all()]
    assert len({each["x"] for each in boxes}) == 1
    assert len({each["width"] for each in boxes}) == 1
    tops = [each["y"] for each in boxes]
    assert tops == sorted(tops)


def test_paper_has_one_column_in_reading_order(page: Page):
    open_result(page, 1280)
    page.emulate_media(media="print")
    boxes = [rectangle(each) for each in page.locator(".cs-box").all()]
    assert len({each["x"] for each in boxes}) == 1
    assert overlaps(page, ".cs-box") == []


def test_the_tab_key_goes_from_box_to_box_as_one_reads(page: Page):
    open_result(page, 1280)
    tops = []
    for _ in page.locator("[tabindex='0']").all():
        page.keyboard.press("Tab")
        tops.append(page.evaluate("document.activeElement.innerText.slice(0, 9)"))
    assert tops == ["a heading", "row 0\nrow", "a column\t", "the foot"]
