"""A live session's result: what widgets showed last, without a script and as harmless as all else."""

import base64
from typing import Any

import pytest
from bs4 import BeautifulSoup

from runner.results import widgets
from runner.results.outputs import ERROR, INTERACTIVE
from runner.results.rendering import render
from runner.results.tables import tables
from runner.results.widgets import FIRST_DRAWN, STATE_MIME, VIEW_MIME
from tests.runner.results.notebooks import (
    code,
    error,
    html,
    notebook,
    png,
    shown,
    stream,
)

CONTROLS, OUTPUT = "@jupyter-widgets/controls", "@jupyter-widgets/output"


def widget(
    model: str, module: str = CONTROLS, buffers: Any = (), **state: Any
) -> dict[str, Any]:
    return {
        "model_name": f"{model}Model",
        "model_module": module,
        "state": state,
        "buffers": list(buffers),
    }


def holding(*children: str, model: str = "VBox", **state: Any) -> dict[str, Any]:
    return widget(model, children=[f"IPY_MODEL_{child}" for child in children], **state)


def view(model_id: str) -> dict[str, Any]:
    return shown(
        {VIEW_MIME: {"model_id": model_id}, "text/plain": "IntSlider(value=3)"}
    )


def rendered(shown_id: str = "top", **state: dict[str, Any]) -> str:
    metadata = {"widgets": {STATE_MIME: {"version_major": 2, "state": state}}}
    return render(notebook(code(view(shown_id)), metadata=metadata)).html.decode()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (widget("IntSlider", description="Days", value=30), "<strong>Days</strong> 30"),
        (widget("Dropdown", description="Ward", index=1, _options_labels=["A", "B<1>"]), "<strong>Ward</strong> B&lt;1&gt;"),
        (widget("SelectMultiple", description="Wards", index=[0, 2], _options_labels=["A", "B", "C"]), "<strong>Wards</strong> A, C"),
        (widget("RadioButtons", description="Ward", index=None, _options_labels=["A"]), "<strong>Ward</strong> none"),
        (widget("Checkbox", description="Open", value=True), "<strong>Open</strong> yes"),
        (widget("IntRangeSlider", description="Age", value=[3, 8]), "<strong>Age</strong> 3 to 8"),
        (widget("DatePicker", description="Since", value={"year": 2026, "month": 4, "date": 1}), "<strong>Since</strong> 2026-05-01"),
        (widget("Password", description="Key"), "kept to whoever typed it"),
        (widget("Label", value="a < b"), "a &lt; b"),
        (widget("HTML", value="<b>12</b> stays"), "<b>12</b> stays"),
    ],
)  # fmt: skip
def test_a_control_says_what_it_was_set_to(given: dict[str, Any], said: str) -> None:
    assert said in rendered(top=given)


def test_boxes_show_what_is_in_them_in_order() -> None:
    page = rendered(
        top=holding("inner", "last"),
        inner=holding("first", model="HBox"),
        first=widget("Label", value="FIRST"),
        last=widget("Label", value="LAST"),
    )
    assert page.index("FIRST") < page.index("LAST")
    assert INTERACTIVE not in page


def test_tabs_and_accordions_have_their_titles() -> None:
    page = rendered(
        top=holding("one", "two", model="Tab", titles=["Beds", "Staff"]),
        one=widget("Label", value="12"),
        two=widget("Label", value="34"),
    )
    assert (
        page.index("Beds") < page.index("12") < page.index("Staff") < page.index("34")
    )


def test_an_output_widget_shows_what_it_showed() -> None:
    page = rendered(
        top=widget(
            "Output",
            OUTPUT,
            outputs=[
                stream("printed"),
                html("<table><tr><td>cell</td></tr></table>"),
                view("in"),
                error("secret"),
            ],
        ),
        **{"in": widget("Label", value="INNER")},
    )
    assert all(word in page for word in ("printed", "cell", "INNER", ERROR))
    assert "secret" not in page


def test_a_picture_is_shown_and_counted() -> None:
    data = png()
    buffer = {"path": ["value"], "encoding": "base64", "data": data}
    page = rendered(top=widget("Image", format="png", buffers=[buffer]))
    assert 'alt="Figure 1"' in page
    assert base64.b64decode(data)[:4] == b"\x89PNG"


def test_what_needs_scripts_is_said_to_be_left_out() -> None:
    page = rendered(
        top=holding("map", "label"),
        map=widget("LeafletMap", "jupyter-leaflet"),
        label=widget("Label", value="beside"),
    )
    assert INTERACTIVE in page
    assert "beside" in page


def drawn(**forms: str) -> dict[str, Any]:
    plain = {"text/plain": "Canvas()"}
    return shown({VIEW_MIME: {"model_id": "canvas"}, **plain, **forms})


CANVAS = {"canvas": widget("MPLCanvas", "jupyter-matplotlib")}


def at_rest(output: dict[str, Any], **state: dict[str, Any]) -> str:
    metadata = {"widgets": {STATE_MIME: {"version_major": 2, "state": state}}}
    return render(notebook(code(output), metadata=metadata)).html.decode()


def test_a_picture_that_a_widget_sends_along_is_shown_as_the_first_one() -> None:
    html = f"<div>Toolbar<img src='data:image/png;base64,{png()}'></div>"
    page = at_rest(drawn(**{"image/png": png(), "text/html": html}), **CANVAS)
    assert 'alt="Figure 1"' in page
    assert "Toolbar" not in page
    assert FIRST_DRAWN in page
    assert INTERACTIVE not in page


def test_html_that_a_widget_sends_along_is_shown_and_cleaned() -> None:
    table = "<table><tr><td>12 beds</td></tr></table><script>alert(1)</script>"
    page = at_rest(drawn(**{"text/html": table}), **CANVAS)
    assert "12 beds" in page
    assert FIRST_DRAWN in page
    assert "<script" not in page


def test_a_picture_in_an_output_widget_is_shown_too() -> None:
    outputs = [drawn(**{"image/png": png()})]
    page = at_rest(view("top"), top=widget("Output", OUTPUT, outputs=outputs), **CANVAS)
    assert 'alt="Figure 1"' in page
    assert FIRST_DRAWN in page


def test_a_widget_that_sends_words_only_is_left_out() -> None:
    page = at_rest(drawn(), **CANVAS)
    assert INTERACTIVE in page
    assert "Canvas()" not in page


def test_a_control_says_what_it_was_set_to_whatever_it_sent_along() -> None:
    output = drawn(**{"text/html": "<b>as it was</b>"})
    page = at_rest(output, canvas=widget("IntSlider", description="Days", value=30))
    assert "<strong>Days</strong> 30" in page
    assert "as it was" not in page


def test_without_a_kept_state_it_is_left_out_as_ever() -> None:
    page = render(notebook(code(view("top")))).html.decode()
    assert INTERACTIVE in page


def test_a_button_shows_nothing_when_nobody_can_press_it() -> None:
    page = rendered(
        top=holding("button", "label"),
        button=widget("Button", description="Go"),
        label=widget("Label", value="x"),
    )
    assert "Go" not in page


def test_widgets_that_hold_each_other_come_to_an_end() -> None:
    assert rendered(top=holding("top", "top"))


def test_no_more_than_so_many_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(widgets, "MAX_PIECES", 3)
    page = rendered(
        top=holding("a", "b", "c"),
        **{name: widget("Label", value=f"({name})") for name in "abc"},
    )
    assert ("(b)" in page, "(c)" in page) == (True, False)


EVIL = "http://evil.example"
HOSTILE = [
    f"<script>fetch('{EVIL}')</script>",
    f"<img src=x onerror=\"fetch('{EVIL}')\">",
    f"<a href=\"javascript:fetch('{EVIL}')\">x</a>",
    f"<iframe src='{EVIL}'></iframe><form action='{EVIL}'><input></form>",
    f"</p><style>@import url({EVIL});</style><p>",
    f'"><svg onload="fetch(\'{EVIL}\')">',
]


@pytest.mark.security
@pytest.mark.parametrize("source", HOSTILE)
def test_what_a_widget_says_is_cleaned_like_everything(source: str) -> None:
    page = rendered(
        top=holding("a", "b", "c", model="Tab", titles=[source, source, source]),
        a=widget("HTML", value=source, description=source),
        b=widget("Output", OUTPUT, outputs=[html(source)]),
        c=widget("Dropdown", index=0, _options_labels=[source], description=source),
    )
    read = BeautifulSoup(page, "html.parser")
    names = {name for tag in read.find_all(True) for name in tag.attrs}
    assert not read.find_all(["script", "iframe", "form", "style", "svg", "input"])
    assert not [name for name in names if name.startswith("on")]
    assert not read.find_all(href=lambda value: value and "javascript" in value)


@pytest.mark.parametrize(
    "state",
    [
        {"top": 1},
        {"top": {}},
        {"top": {"state": []}},
        {"top": widget("VBox", children="IPY_MODEL_top")},
        {"top": widget("VBox", children=[1, "top", "IPY_MODEL_nobody"])},
        {
            "top": widget(
                "Output", OUTPUT, outputs=[1, {}, {"data": 1}, {"data": {VIEW_MIME: 1}}]
            )
        },
        {"top": widget("Dropdown", index=[99, -1, "a"], _options_labels=["A"])},
        {"top": widget("Dropdown", index=0, _options_labels=None)},
        {"top": widget("DatePicker", value={"year": "x"})},
        {"top": widget("IntRangeSlider", value=[1])},
        {
            "top": widget(
                "Image", format="png", buffers=[1, {"path": ["value"], "data": 7}]
            )
        },
        {"top": widget("Image", format="exe")},
    ],
)
def test_odd_states_break_nothing(state: dict[str, Any]) -> None:
    assert rendered(**state)


def test_outputs_in_widgets_count_for_the_whole_notebook(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(widgets, "MAX_PIECES", 5)
    outputs = [stream(f"({n})") for n in range(10)]
    metadata = {
        "widgets": {
            STATE_MIME: {"state": {"top": widget("Output", OUTPUT, outputs=outputs)}}
        }
    }
    page = render(notebook(code(*[view("top")] * 50), metadata=metadata)).html.decode()
    assert page.count("(3)") == 1
    assert "(4)" not in page
    assert page.count(widgets.TOO_MANY) == 1


def test_tables_in_output_widgets_are_in_the_downloads() -> None:
    held_table = {
        "output_type": "display_data",
        "data": {"text/html": "<table><tr><td>41</td></tr></table>"},
    }
    held = widget("Output", OUTPUT, outputs=[held_table])
    metadata = {"widgets": {STATE_MIME: {"state": {"top": held}}}}
    made = notebook(code(view("top")), metadata=metadata)
    assert [table.rows for table in tables(made)] == [[["41"]]]
