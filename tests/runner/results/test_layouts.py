"""A result in its author's layout: what is hidden stays out, failures do not, and order is the reader's."""

from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag

from runner.results.outputs import ERROR
from runner.results.rendering import EMPTY, FOR_PAGES, render
from runner.results.tables import tables
from runner.results.widgets import STATE_MIME
from tests.gallery.layouts import GRID, REPORT, at, dashboard, in_view
from tests.runner.results.notebooks import (
    code,
    error,
    html,
    markdown,
    notebook,
    png,
    shown,
    stream,
)
from tests.runner.results.test_widgets import OUTPUT, view, widget

HIDDEN = {"hidden": True}
TABLE = "<table><tr><td>41</td></tr></table>"


def stood(cell: dict[str, Any], place: Any, view_id: str = "grid_default"):
    return {**cell, "metadata": in_view(place, view_id)}


def page(*cells: dict[str, Any], **more: Any) -> BeautifulSoup:
    made = notebook(*cells, metadata=dashboard(**more))
    return BeautifulSoup(render(made).html, "html.parser")


def bands(found: BeautifulSoup) -> list[list[str]]:
    return [
        [box.get_text(" ", strip=True) for box in band.find_all(recursive=False)]
        for band in found.select(".cs-band")
    ]


def classes(found: BeautifulSoup, text: str) -> list[str]:
    box = found.find(string=text).find_parent(class_="cs-box")
    assert isinstance(box, Tag)
    return box["class"][1:]


def test_cells_stand_in_their_grid_in_reading_order():
    found = page(
        stood(code(stream("below")), at(10, 0, 12, 2)),
        stood(code(stream("right")), at(0, 8, 4, 6)),
        stood(markdown("left"), at(0, 0, 8, 4)),
    )
    assert bands(found) == [["left", "right"], ["below"]]
    assert classes(found, "left") == [
        *("cs-box", "cs-col-1", "cs-cols-8", "cs-line-1", "cs-lines-1", "cs-tall-6")
    ]
    assert classes(found, "right")[1:5] == [
        *("cs-col-9", "cs-cols-4", "cs-line-1", "cs-lines-2")
    ]
    assert found.select_one(".cs-band")["class"] == [
        *("cs-band", "cs-columns-12", "cs-rows-2", "cs-gap-3")
    ]


def test_a_report_is_in_the_notebooks_order_without_what_it_hides():
    found = page(
        stood(code(stream("secret steps")), HIDDEN, "report_default"),
        stood(markdown("hidden words"), HIDDEN, "report_default"),
        stood(code(stream("first")), {}, "report_default"),
        stood(markdown("second"), {}, "report_default"),
        active="report_default",
    )
    assert found.get_text(" ", strip=True) == "first second"
    assert bands(found) == []


@pytest.mark.parametrize("kind", ["grid", "report"])
def test_what_a_hidden_cell_shows_is_not_in_the_result(kind):
    view_id = f"{kind}_default"
    found = page(
        stood(
            code(stream("one"), stream("two", "stderr"), html(TABLE)), HIDDEN, view_id
        ),
        code(stream("three")),
        stood(code(stream("seen")), at(0, 0), view_id),
        active=view_id,
    )
    assert found.get_text(" ", strip=True) == "seen"


@pytest.mark.parametrize("kind", ["grid", "report"])
def test_that_a_hidden_cell_failed_or_was_cut_is_told(kind):
    view_id = f"{kind}_default"
    failed = code(stream("one"), error("ValueError: 4711"))
    made = notebook(
        stood(failed, HIDDEN, view_id),
        stood(code(stream("seen")), at(0, 0), view_id),
        metadata=dashboard(view_id),
    )
    cut = [{"cell": 0, "message": "Its output was too long."}]
    text = render(made, truncated=cut).html.decode()
    assert ERROR in text
    assert "Its output was too long." in text
    assert text.index(ERROR) < text.index("seen")
    assert "one" not in BeautifulSoup(text, "html.parser").get_text().split()
    assert "4711" not in text


def test_what_failed_in_an_output_widget_of_a_hidden_cell_is_told():
    outputs = [stream("secret steps"), error("ValueError: 4711")]
    captured = widget("Output", OUTPUT, outputs=outputs)
    state = {STATE_MIME: {"version_major": 2, "state": {"out": captured}}}
    made = notebook(
        stood(code(view("out")), HIDDEN), metadata={**dashboard(), "widgets": state}
    )
    text = render(made).html.decode()
    assert ERROR in text
    assert "secret steps" not in text


def test_a_result_of_which_everything_is_hidden_says_that_it_shows_nothing():
    assert EMPTY in str(page(stood(code(stream("one")), HIDDEN)))


def test_of_a_hidden_cell_for_live_pages_nothing_is_said():
    cell = {**stood(code(), HIDDEN), "execution_count": None}
    cell["metadata"]["tags"] = ["live-only"]
    assert EMPTY in page(cell).text
    cell["metadata"] = {"tags": ["live-only"], **in_view(at(0, 0))}
    assert FOR_PAGES in page(cell).text


def test_pictures_are_numbered_as_if_hidden_ones_were_not_there():
    picture = shown({"image/png": png()})
    found = page(stood(code(picture, picture), HIDDEN), stood(code(picture), at(0, 0)))
    assert [image["alt"] for image in found.select("img")] == ["Figure 1"]


def test_tables_of_hidden_cells_are_in_the_downloads():
    made = notebook(stood(code(html(TABLE)), HIDDEN), metadata=dashboard())
    assert "41" not in render(made).html.decode()
    assert len(tables(made)) == 1


def test_a_layout_that_cannot_be_used_leaves_the_notebooks_order_and_hides_nothing():
    found = page(
        stood(code(stream("first")), at(9, 0)),
        stood(code(stream("second")), HIDDEN),
        views={"grid_default": {**GRID, "maxColumns": 10**6}},
    )
    assert found.get_text(" ", strip=True) == "first second"
    assert bands(found) == []


@pytest.mark.security
@pytest.mark.parametrize(
    "word", ['"><script>alert(1)</script>', "cs-head", "x onload=alert(1)", "é" * 300]
)
def test_no_word_of_the_metadata_reaches_the_page(word):
    view = {**GRID, "name": word, "maxColumns": 12, "cellMargin": word}
    place = {**at(0, 0), "height": word, "row": 1}
    found = page(
        stood(code(stream("seen")), place, word),
        stood(code(stream("also")), {**at(0, 0), "col": word}, word),
        active=word,
        views={word: view, "other": REPORT},
    )
    assert bands(found) == [["seen"], ["also"]]
    assert word not in str(found)
    assert {name for tag in found.find_all(True) for name in tag.attrs} <= {
        *("class", "tabindex", "role", "aria-label")
    }
    assert not found.select("script, .cs-head")


@pytest.mark.security
def test_an_output_cannot_take_a_place_in_the_grid():
    forged = '<div class="cs-band cs-box cs-col-1 cs-lines-32">forged</div>'
    found = page(stood(code(html(forged)), at(0, 0)))
    assert bands(found) == [["forged"]]
    assert len(found.select(".cs-box")) == 1
