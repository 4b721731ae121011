"""Controls are read as ipywidgets would make them, or it is said why they are no parameter."""

import json
import subprocess
from typing import Any

import pytest

from gallery.parameters.infer import Inferred, infer_parameters
from tests.gallery.notebooks import code, notebook
from tests.support.environment import REPOSITORY

PYTHON = REPOSITORY / ".environments" / "python-analytics" / "bin" / "python"
IMPORT = "import datetime\nimport ipywidgets as w\n"
#: How each is written, and what of it is asked for.
READABLE = {
    "w.IntText()": {"type": "integer", "default": 0},
    "w.IntText(7, step=5)": {"type": "integer", "default": 7},
    "w.IntText(value=None)": {"type": "integer", "default": 0},
    "w.IntSlider()": {"type": "integer", "minimum": 0, "maximum": 100, "default": 0},
    "w.IntSlider(min=5, max=None)": {
        "type": "integer",
        "minimum": 5,
        "maximum": 100,
        "default": 5,
    },
    "w.IntSlider(50, max=30)": {
        "type": "integer",
        "minimum": 0,
        "maximum": 30,
        "default": 30,
    },
    "w.IntSlider(20, 10, 60, 5)": {
        "type": "integer",
        "minimum": 10,
        "maximum": 60,
        "default": 20,
        "multipleOf": 5,
    },
    "w.IntSlider(value=6, min=1, max=11, step=5)": {
        "type": "integer",
        "minimum": 1,
        "maximum": 11,
        "default": 6,
    },
    "w.IntSlider(value=7, step=5)": {
        "type": "integer",
        "minimum": 0,
        "maximum": 100,
        "default": 7,
    },
    "w.BoundedIntText(-3, -5, -1)": {
        "type": "integer",
        "minimum": -5,
        "maximum": -1,
        "default": -3,
    },
    "w.FloatText()": {"type": "number", "default": 0.0},
    "w.FloatText(2)": {"type": "number", "default": 2.0},
    "w.FloatSlider(value=250)": {
        "type": "number",
        "minimum": 0,
        "maximum": 100,
        "default": 100.0,
    },
    "w.BoundedFloatText(min=.5, max=1)": {
        "type": "number",
        "minimum": 0.5,
        "maximum": 1,
        "default": 0.5,
    },
    "w.Text()": {"type": "string", "default": ""},
    "w.Text('A%')": {"type": "string", "default": "A%"},
    "w.Textarea('a')": {"type": "string", "default": "a"},
    "w.Combobox(options=['a'])": {"type": "string", "default": ""},
    "w.Checkbox()": {"type": "boolean", "default": False},
    "w.ToggleButton(True)": {"type": "boolean", "default": True},
    "w.Dropdown(options=['a', 'b'])": {
        "type": "string",
        "enum": ["a", "b"],
        "default": "a",
    },
    "w.Select(options=(7, 30), value=30)": {
        "type": "integer",
        "enum": [7, 30],
        "default": 30,
    },
    "w.RadioButtons(options=[('All', 0), ('One', 1)])": {
        "type": "integer",
        "enum": [0, 1],
        "default": 0,
    },
    "w.ToggleButtons(options={'Few': 1.5, 'Many': 9.5}, value=9.5)": {
        "type": "number",
        "enum": [1.5, 9.5],
        "default": 9.5,
    },
    "w.SelectionSlider(options=['ab', 'cd'])": {
        "type": "string",
        "enum": ["ab", "cd"],
        "default": "ab",
    },
    "w.SelectMultiple(options=[1, 2])": {
        "type": "array",
        "uniqueItems": True,
        "default": [],
        "items": {"type": "integer", "enum": [1, 2]},
    },
    "w.SelectMultiple(options={'A': 'a', 'B': 'b'}, value=('b',))": {
        "type": "array",
        "uniqueItems": True,
        "default": ["b"],
        "items": {"type": "string", "enum": ["a", "b"]},
    },
    "w.TagsInput()": {
        "type": "array",
        "default": [],
        "items": {"type": "string", "minLength": 1},
    },
    "w.TagsInput(value=['a'], allowed_tags=['a', 'b'])": {
        "type": "array",
        "uniqueItems": True,
        "default": ["a"],
        "items": {"type": "string", "enum": ["a", "b"]},
    },
    "w.DatePicker(value=datetime.date(2026, 1, 31))": {
        "type": "string",
        "format": "date",
        "default": "2026-01-31",
    },
    "w.DatePicker()": {
        "anyOf": [{"type": "string", "format": "date"}, {"type": "null"}],
        "default": None,
    },
}
REAL = """
import datetime, json, sys
import ipywidgets as w
def told(source):
    control = eval(source)
    names = ("value", "min", "max")
    found = {name: getattr(control, name) for name in names if hasattr(control, name)}
    return {**found, "options": list(getattr(control, "_options_values", ()))}
print(json.dumps([told(each) for each in json.load(sys.stdin)], default=str))
"""


def infer(source: str, *before: dict[str, Any], **metadata: Any) -> Inferred:
    cell = code(source, tags=["parameters"])
    return infer_parameters(notebook(*before, cell, **metadata))


def control(call: str, **metadata: Any) -> dict[str, Any]:
    """The schema of the one parameter that `x = call` is."""
    return dict(infer(f"{IMPORT}x = {call}", **metadata).schema["properties"]["x"])


def refused(source: str, *before: dict[str, Any]) -> str:
    """The one note on a control that is no parameter."""
    inferred = infer(source, *before)
    assert inferred.schema["properties"] == {}
    (note,) = inferred.notes
    return note


@pytest.fixture(scope="module")
def real() -> dict[str, dict[str, Any]]:
    """What ipywidgets itself makes of each."""
    printed = subprocess.check_output(
        [PYTHON, "-c", REAL], input=json.dumps(list(READABLE)).encode()
    )
    return dict(zip(READABLE, json.loads(printed), strict=True))


@pytest.mark.parametrize("call", READABLE)
def test_a_control_is_a_parameter_of_its_values(call: str) -> None:
    schema = control(call)
    assert schema.pop("x-countersign")["control"] in call
    assert schema == READABLE[call]


@pytest.mark.parametrize("call", READABLE)
def test_it_is_what_the_library_makes_of_it(call: str, real: Any) -> None:
    schema, made = control(call), real[call]
    assert schema["default"] == made["value"]
    assert type(schema["default"]) is type(made["value"])
    choices = schema.get("items", schema).get("enum", [])
    assert choices == made["options"] or "allowed_tags" in call
    bounds = schema.get("minimum"), schema.get("maximum")
    assert bounds == (made.get("min"), made.get("max"))


def test_labels_title_help_and_the_kind_of_field_are_kept() -> None:
    schema = control(
        "w.RadioButtons(options=[('All', 0), (1, 1)], description='Ward: ', tooltip='Whose stays')"
    )
    assert (schema["title"], schema["description"]) == ("Ward", "Whose stays")
    assert schema["x-countersign"] == {
        "order": 0,
        "control": "RadioButtons",
        "widget": "radio",
        "labels": ["All", "1"],
    }


def test_a_comment_is_its_help() -> None:
    assert control("w.IntSlider()  # How far back")["description"] == "How far back"


@pytest.mark.parametrize(
    "call",
    [
        "w.IntSlider(value=usual)",
        "w.DatePicker(value=datetime.date.today())",
        "w.Dropdown(options=['a', 'b'], index=1)",
        "w.Dropdown(options=['a', 'b'], label='b')",
        "w.Dropdown(options=['a', 'b'], value=None)",
        "w.SelectMultiple(options=['a', 'b'], value=usual)",
    ],
)
def test_a_first_value_that_only_the_notebook_knows_is_left_to_it(call: str) -> None:
    schema = control(call)
    assert "default" not in schema
    assert schema["x-countersign"]["computed"] is True


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("w.IntSlider(max=longest)", "its “max” is not written out"),
        ("w.IntSlider(min=200)", "its “min” is above its “max”"),
        ("w.IntSlider(5.7)", "its “value” is of another type"),
        ("w.IntSlider(True)", "its “value” is of another type"),
        ("w.IntSlider(1, 2, 3, 4, 5)", "does not take its arguments like this"),
        ("w.IntSlider(*bounds)", "does not take its arguments like this"),
        ("w.FloatSlider(1, 0, 5)", "does not take its arguments like this"),
        ("w.Dropdown(['a'])", "does not take its arguments like this"),
        ("w.IntSlider(**bounds)", "** cannot be read"),
        ("w.IntSlider(disabled=True)", "it is disabled"),
        ("w.IntSlider(disabled=locked)", "its “disabled” is not written out"),
        ("w.Text(5)", "its “value” is of another type"),
        ("w.Checkbox('yes')", "its “value” is of another type"),
        ("w.Combobox(options=['a'], ensure_option=True)", "a Dropdown says better"),
        ("w.Dropdown(options=wards)", "its “options” are not written out"),
        ("w.Dropdown(options='abc')", "its “options” are not written out"),
        ("w.Dropdown(options=[('All', None)])", "its “options” are not written out"),
        ("w.Dropdown()", "its “options” are not written out"),
        ("w.Dropdown(options=[])", "it has no options"),
        ("w.Dropdown(options=[1, True])", "two of its options have the same value"),
        ("w.Dropdown(options=['a'], value='b')", "its “value” is none of its options"),
        ("w.Dropdown(options=['a'], equals=same)", "in a way of its own"),
        ("w.SelectMultiple(options=['a'], value=['b'])", "not among its options"),
        ("w.TagsInput(allowed_tags=[1])", "no list of words"),
        ("w.DatePicker(min=datetime.date(2026, 1, 1))", "keep a date within bounds"),
        ("w.DatePicker(value='2026-01-01')", "its “value” is no date"),
        ("w.IntRangeSlider()", "a form cannot ask for what IntRangeSlider holds"),
        ("w.Password()", "a form cannot ask for what Password holds"),
        ("w.Output()", "a form cannot ask for what Output holds"),
    ],
)
def test_what_cannot_be_told_is_said_and_never_asked_for(call: str, why: str) -> None:
    note = refused(f"{IMPORT}x = {call}")
    assert note.startswith("The control “x” is no parameter: ")
    assert why in note


def test_one_control_under_two_names_is_no_parameter() -> None:
    assert "more than one plain name" in refused(f"{IMPORT}a = b = w.IntSlider()")
    assert "more than one plain name" in refused(f"{IMPORT}a.b = w.IntSlider()")


@pytest.mark.parametrize(
    "change",
    [
        "x.max = 5",
        "x.value = 7",
        "x.value += 1",
        "x.max, y = 5, 1",
        "x = decorated(x)",
        "x = w.IntSlider(7)",
        "x = w.Output()",
        "x: int",
        "x += 1",
        "del x",
        "del x.max",
        "def x(): pass",
        "class x: pass",
        "def reset():\n    x.value = 0",
        "if late:\n    x.max = 5",
        "for x in range(3): pass",
        "for x.value in range(3): pass",
        "with opened() as x: pass",
        "import math as x",
        "from math import pi as x",
        "print(x := 3)",
        "try: pass\nexcept ValueError as x: pass",
        "match late:\n    case [x]: pass",
    ],
)
def test_a_control_that_is_changed_after_it_is_made_is_no_parameter(
    change: str,
) -> None:
    inferred = infer(f"{IMPORT}x = w.IntSlider(3)\nn = 1\n{change}\nx_1 = 2")
    assert {"n", "x_1"} <= inferred.schema["properties"].keys() <= {"n", "x_1", "y"}
    note = "The control “x” is no parameter: line 5 changes it after it is made."
    assert note in inferred.notes


def test_what_only_uses_a_control_leaves_it_a_parameter() -> None:
    uses = "x.observe(print, 'value')\nx.layout.width = '9em'\ny = x.value\nx"
    inferred = infer(f"{IMPORT}x = 1\nx = w.IntSlider(3)\n{uses}")
    assert inferred.schema["properties"]["x"]["default"] == 3


@pytest.mark.security
@pytest.mark.parametrize("declared", [True, ["Other", " Patient: "]])
def test_a_sensitive_control_is_no_parameter_since_those_are_kept(declared) -> None:
    source = "import ipywidgets as w\nwho = w.Text(description='Patient:')\ndays = 3"
    found = infer(source, countersign={"sensitive_widgets": declared})
    assert list(found.schema["properties"]) == ["days"]
    assert found.notes == [
        "“who” is declared sensitive, so it is no parameter: what a run is asked with is kept."
    ]
    others = infer(source, countersign={"sensitive_widgets": ["Days"]})
    assert list(others.schema["properties"]) == ["who", "days"]


@pytest.mark.security
@pytest.mark.parametrize("description", ["label", "f'{label}:'", "'Pat' + 'ient'"])
def test_one_that_may_be_declared_sensitive_is_taken_for_it(description: str) -> None:
    source = f"import ipywidgets as w\nwho = w.Text(description={description})"
    declaring = infer(source, countersign={"sensitive_widgets": ["Patient"]})
    assert declaring.schema["properties"] == {}
    (note,) = declaring.notes
    assert note.startswith("“who” may be declared sensitive (its “description” is not ")
    assert note.endswith(" is no parameter: what a run is asked with is kept.")
    assert list(infer(source).schema["properties"]) == ["who"]


def test_plain_parameters_stand_beside_controls() -> None:
    properties = infer(f"{IMPORT}ward = 'A'\nx: w.Text = w.Text()\nn = 1").schema[
        "properties"
    ]
    assert list(properties) == ["ward", "x", "n"]
    assert [("control" in each["x-countersign"]) for each in properties.values()] == [
        False,
        True,
        False,
    ]


def test_metadata_may_name_a_control_but_not_change_what_it_takes() -> None:
    said = {"x": {"display_name": "Days", "maximum": 900, "type": "str", "unit": "d"}}
    inferred = infer(f"{IMPORT}x = w.IntSlider()", parameterise=said)
    schema = inferred.schema["properties"]["x"]
    assert (schema["title"], schema["maximum"], schema["type"]) == (
        "Days",
        100,
        "integer",
    )
    assert schema["x-countersign"]["unit"] == "d"
    (note,) = inferred.notes
    assert "says itself what it takes" in note
