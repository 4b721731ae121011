"""Parameters are read from code as Python means it, including where line patterns go wrong."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gallery.parameters.infer import Inferred, infer_parameters
from tests.gallery.notebooks import code, markdown, notebook


def infer(source: str, **metadata: Any) -> Inferred:
    return infer_parameters(notebook(code(source, tags=["parameters"]), **metadata))


def only(source: str, **metadata: Any) -> dict[str, Any]:
    """The one property's schema, without its order."""
    schema = infer(source, **metadata).schema
    (prop,) = schema["properties"].values()
    own = {
        key: value for key, value in prop.pop("x-countersign").items() if key != "order"
    }
    return prop | ({"x-countersign": own} if own else {})


NULL = {"type": "null"}
INTEGER_OR_NULL = {"anyOf": [{"type": "integer"}, NULL]}
DATE = {"type": "string", "format": "date"}
CASES = [
    # The table of what line patterns find, with the right answers.
    ("a = 2", {"type": "integer", "default": 2}),
    ("a: int = 2", {"type": "integer", "default": 2}),
    ("a = 2 # type:int", {"type": "integer", "default": 2}),
    (
        "a = 1 # type: int the number of days",
        {"type": "integer", "default": 1, "description": "the number of days"},
    ),
    (
        "a: float = 2.258 # type: int Nice",
        {"type": "number", "default": 2.258, "description": "Nice"},
    ),
    ("a = False # Nice", {"type": "boolean", "default": False, "description": "Nice"}),
    ('c: "NoneType" = None', {"type": "null", "default": None}),
    (
        'a: "Optional[str]" = None',
        {"anyOf": [{"type": "string"}, NULL], "default": None},
    ),
    (
        'b = [\n  "Hello",  # one\n  "World",\n]  # type: List[str] Nice list',
        {
            "type": "array",
            "items": {"type": "string"},
            "default": ["Hello", "World"],
            "description": "Nice list",
        },
    ),
    (
        'a = {\n "k": 1,  # one\n "j": 2,\n}  # a dict',
        {"type": "object", "default": {"k": 1, "j": 2}, "description": "a dict"},
    ),
    (
        "a = {} # type: Dict[str, int] mapping",
        {
            "type": "object",
            "additionalProperties": {"type": "integer"},
            "default": {},
            "description": "mapping",
        },
    ),
    ("a = 1\nimport os", {"type": "integer", "default": 1}),
    ("%env A=1\nb = 2", {"type": "integer", "default": 2}),
    ("café = 1", {"type": "integer", "default": 1}),
    ("a = -7", {"type": "integer", "default": -7}),
    # Where they fail.
    ('url = "http://x/?a=b"', {"type": "string", "default": "http://x/?a=b"}),
    ('c = "#fff"', {"type": "string", "default": "#fff"}),
    (
        'c = "#fff"  # a colour = red',
        {"type": "string", "default": "#fff", "description": "a colour = red"},
    ),
    ("a: int | None = None", INTEGER_OR_NULL | {"default": None}),
    ("a: None | int = 3", INTEGER_OR_NULL | {"default": 3}),
    ("a: Union[int, None] = 3", INTEGER_OR_NULL | {"default": 3}),
    ("a: typing.Optional[int] = 3", INTEGER_OR_NULL | {"default": 3}),
    (
        'd: Literal["x", "y"] = "y"',
        {"type": "string", "enum": ["x", "y"], "default": "y"},
    ),
    ("d: Literal[1, 2] = 1", {"type": "integer", "enum": [1, 2], "default": 1}),
    (
        'd: Literal["x", None] = None',
        {"anyOf": [{"type": "string", "enum": ["x"]}, NULL], "default": None},
    ),
    (
        'd: Annotated[str, "the drug"] = "x"',
        {"type": "string", "default": "x", "description": "the drug"},
    ),
    (
        "d: Annotated[int, Ge(1), Le(9)] = 3",
        {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
    ),
    (
        'd: Annotated[int | None, Field(ge=1, description="days")] = None',
        {
            "anyOf": [{"type": "integer", "minimum": 1}, NULL],
            "default": None,
            "description": "days",
        },
    ),
    (
        "d: list[int] = [1]",
        {"type": "array", "items": {"type": "integer"}, "default": [1]},
    ),
    (
        'd: list[Literal["x", "y"]] = ["x"]',
        {
            "type": "array",
            "items": {"type": "string", "enum": ["x", "y"]},
            "uniqueItems": True,
            "default": ["x"],
        },
    ),
    ("d: dict = {}", {"type": "object", "default": {}}),
    # Dates.
    (
        "d: datetime.date = datetime.date(2026, 1, 31)",
        DATE | {"default": "2026-01-31", "x-countersign": {"bind": "date"}},
    ),
    (
        "d: date = date.fromisoformat('2026-01-31')",
        DATE | {"default": "2026-01-31", "x-countersign": {"bind": "date"}},
    ),
    (
        "d = date(2026, 1, 31)",
        DATE | {"default": "2026-01-31", "x-countersign": {"bind": "date"}},
    ),
    ('d: date = "2026-01-31"', DATE | {"default": "2026-01-31"}),
    ('d = "2026-01-31" # type: date', DATE | {"default": "2026-01-31"}),
    (
        "d: date = date.today()",
        DATE | {"x-countersign": {"bind": "date", "computed": True}},
    ),
    (
        "d: date | None = None",
        {"anyOf": [DATE, NULL], "default": None, "x-countersign": {"bind": "date"}},
    ),
    (
        "d: datetime.datetime = datetime.datetime(2026, 1, 31, 8, 30)",
        {
            "type": "string",
            "format": "date-time",
            "default": "2026-01-31T08:30:00",
            "x-countersign": {"bind": "datetime"},
        },
    ),
    # Help and choices in comments.
    (
        "# Parameters\n\n# the ward\n# to look at\nw = 'A'",
        {"type": "string", "default": "A", "description": "the ward to look at"},
    ),
    ("# Parameters\nw = 'A'", {"type": "string", "default": "A"}),
    (
        "w = 'A'  # ward; one of: A, B",
        {"type": "string", "enum": ["A", "B"], "default": "A", "description": "ward"},
    ),
    ("w = 1  # choices: [1, 2]", {"type": "integer", "enum": [1, 2], "default": 1}),
    (
        "w: list[str] = []  # choices: a, b",
        {
            "type": "array",
            "items": {"type": "string", "enum": ["a", "b"]},
            "uniqueItems": True,
            "default": [],
        },
    ),
    ("w: int = None", INTEGER_OR_NULL | {"default": None}),
    ("w = compute()", {"type": "string", "x-countersign": {"computed": True}}),
    ("w = b'bytes'", {"type": "string", "x-countersign": {"computed": True}}),
    ("w = {1: 2}", {"type": "string", "x-countersign": {"computed": True}}),
    ("a: Decimal = 2", {"type": "integer", "default": 2}),
]


@pytest.mark.parametrize(
    ("source", "expected"), CASES, ids=[source for source, _ in CASES]
)
def test_a_parameter_is_what_it_is_in_python(source, expected):
    assert only(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "a, b = 1, 2",
        "self.x = 1",
        'd["k"] = 1',
        "import os",
        "if True:\n    x = 1",
        "def f():\n    x = 1",
        "x += 1",
        "= 2",
        "x = (",
        "",
    ],
)
def test_what_is_no_plain_assignment_is_no_parameter(source):
    assert infer(source).schema["properties"] == {}


@pytest.mark.parametrize("source", ["a = 1; b = 2", "a = b = 2"])
def test_several_assignments_on_a_line_are_several_parameters(source):
    assert list(infer(source).schema["properties"]) == ["a", "b"]


@pytest.mark.parametrize(
    "name", ["__name__", "_", "In", "Out", "get_ipython", "exit", "quit", "display"]
)
def test_a_reserved_name_is_no_parameter(name):
    inferred = infer(f"{name} = 1")
    assert inferred.schema["properties"] == {}
    assert "reserved" in inferred.notes[0]


@pytest.mark.parametrize(
    "name", ["PATH", "PGHOST", "BASH_ENV", "LD_PRELOAD", "PS1", "IFS"]
)
def test_a_name_of_the_shell_itself_is_no_bash_parameter(name):
    bash = {"kernelspec": {"name": "bash", "language": "bash"}}
    assert infer(f"{name}=x", **bash).schema["properties"] == {}


def test_a_bare_annotation_is_required():
    assert infer("days: int\nward: str = 'A'").schema["required"] == ["days"]


def test_the_last_assignment_of_a_name_is_its_default():
    inferred = infer("a = 1\na = 2")
    assert inferred.schema["properties"]["a"]["default"] == 2
    assert "more than once" in inferred.notes[0]


def test_the_schema_is_closed_and_valid():
    schema = infer("a = 1\nb: Literal['x'] = 'x'\nc: date = date.today()").schema
    Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert [
        prop["x-countersign"]["order"] for prop in schema["properties"].values()
    ] == [0, 1, 2]


def test_the_cell_is_found_by_its_tag():
    cells = [
        markdown("# t"),
        code("a = 1"),
        code("b = 2", tags=["Parameters"]),
        code("c = 3", tags=["parameters"]),
    ]
    inferred = infer_parameters(notebook(*cells))
    assert inferred.cell_index == 2
    assert list(inferred.schema["properties"]) == ["b"]


def test_a_notebook_without_the_tag_has_no_parameters():
    inferred = infer_parameters(notebook(code("a = 1")))
    assert (
        inferred.cell_index,
        inferred.schema["properties"],
        inferred.binding_mode,
    ) == (None, {}, "append")


def test_metadata_gives_titles_bounds_and_choices():
    described = {
        "a": {
            "display_name": "Days",
            "help": "how many",
            "minimum": 1,
            "maximum": 9,
            "unit": "days",
            "widget": "slider",
        },
        "b": {"choices": ["x", "y"], "required": True},
        "nothing": {"display_name": "?"},
    }
    inferred = infer("a = 3\nb = 'x'", parameterise=described)
    assert inferred.schema["properties"]["a"] == {
        "type": "integer",
        "default": 3,
        "minimum": 1,
        "maximum": 9,
        "title": "Days",
        "description": "how many",
        "x-countersign": {"order": 0, "unit": "days", "widget": "slider"},
    }
    assert inferred.schema["properties"]["b"]["enum"] == ["x", "y"]
    assert inferred.schema["required"] == ["b"]
    assert "“nothing”" in inferred.notes[0]


def test_a_default_that_does_not_fit_its_type_is_told():
    assert any(
        "“a”" in note and "default" in note for note in infer("a: int = 'x'").notes
    )


def test_bash_parameters_are_constant_assignments():
    source = "ward='A 1'  # the ward\ndays=7 # type: int\nnow=$(date)\nx=\"$HOME\"\necho hi\nempty="
    metadata = {
        "kernelspec": {"name": "bash", "language": "bash"},
        "language_info": {"name": "bash"},
    }
    properties = infer(source, **metadata).schema["properties"]
    assert {name: prop["default"] for name, prop in properties.items()} == {
        "ward": "A 1",
        "days": 7,
        "empty": "",
    }
    assert properties["days"]["type"] == "integer"
    assert properties["ward"]["description"] == "the ward"


def test_another_language_has_no_parameters_and_says_so():
    inferred = infer("a <- 1", kernelspec={"name": "ir", "language": "r"})
    assert inferred.schema["properties"] == {}
    assert "not read from code" in inferred.notes[0]


def test_nothing_in_the_cell_is_ever_run(tmp_path):
    target = tmp_path / "ran"
    infer(
        f"a: (open({str(target)!r}, 'w')) = open({str(target)!r}, 'w')\nb: \"__import__('os').mkdir('{target}')\" = 1"
    )
    assert not target.exists()


@given(st.text(max_size=60))
def test_any_text_is_read_without_an_error(source):
    Draft202012Validator.check_schema(infer(source).schema)


LITERALS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(LITERALS)
def test_every_json_default_is_read_exactly_and_fits_its_schema(value):
    prop = infer(f"a = {value!r}  # help = #1").schema["properties"]["a"]
    if "\\x00" in repr(value):
        assert "default" not in prop
        return
    assert repr(prop["default"]) == repr(value)
    assert prop["description"] == "help = #1"
    Draft202012Validator(prop).validate(value)


@given(st.text(max_size=30))
def test_an_annotation_of_any_text_is_read_without_an_error(text):
    infer(f"a: {text!r} = 1")
    infer(f"a = 1  # type: {text}")
