"""Values are taken exactly as the approved schema allows, and refused in words otherwise."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.parameters.infer import infer_parameters
from gallery.parameters.validate import InvalidParameters, clean_parameters
from tests.gallery.notebooks import code, notebook

SOURCE = """
days: Annotated[int, Ge(1), Le(90)] = 30
dose: float = 1.5
active: bool = True
drug: Literal["metformin", "warfarin"] = "metformin"
wards: list[Literal["A", "B"]] = ["A"]
since: datetime.date = datetime.date(2026, 1, 1)
at: datetime.datetime = datetime.datetime(2026, 1, 1)
hour: datetime.time = datetime.time(8)
limit: int | None = None
name: str
extra: dict[str, float] = {}
codes: list[int] = []
today: date = date.today()
"""
SCHEMA = infer_parameters(notebook(code(SOURCE, tags=["parameters"]))).schema


def clean(**values):
    return clean_parameters(SCHEMA, {"name": "x"} | values)


def refused(**values):
    with pytest.raises(InvalidParameters) as caught:
        clean(**values)
    return {error.field: (error.code, error.message) for error in caught.value.errors}


GOOD = [
    ("days", 1),
    ("days", 90),
    ("dose", 2.5),
    ("active", False),
    ("drug", "warfarin"),
    ("wards", []),
    ("wards", ["B", "A"]),
    ("since", "2026-02-28"),
    ("at", "2026-02-28T08:30"),
    ("at", "2026-02-28T08:30:00+01:00"),
    ("hour", "00:00"),
    ("limit", None),
    ("limit", 5),
    ("name", ""),
    ("name", " Ünï'\"\\ {} $(id) \n"),
    ("extra", {"a": 1.0}),
    ("codes", [1, 2, 2]),
    ("today", "2026-01-01"),
]


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_a_value_that_fits_is_kept_exactly(name, value):
    assert repr(clean(**{name: value})[name]) == repr(value)


BAD = [
    ("days", 0, "minimum", "Enter 1 or more."),
    ("days", 91, "maximum", "Enter 90 or less."),
    ("days", "5", "type", "Enter a whole number."),
    ("days", 5.5, "type", "Enter a whole number."),
    ("days", True, "type", "Enter a whole number."),
    ("days", None, "type", "Enter a whole number."),
    ("dose", "x", "type", "Enter a number."),
    ("dose", False, "type", "Enter a number."),
    ("dose", math.nan, "not_json", None),
    ("dose", math.inf, "not_json", None),
    ("dose", 2**53, "too_large", None),
    ("active", 1, "type", "Choose yes or no."),
    ("active", "true", "type", "Choose yes or no."),
    ("drug", "aspirin", "enum", "Choose one of: metformin, warfarin."),
    ("drug", ["metformin"], "type", "Enter text."),
    ("wards", "A", "type", "Enter a list."),
    ("wards", ["A", "A"], "uniqueItems", "Give each entry once."),
    ("wards", ["A", "C"], "enum", "Entry 2: Choose one of: A, B."),
    (
        "since",
        "2026-02-30",
        "format",
        "Enter a date as year-month-day, for example 2026-01-31.",
    ),
    ("since", "20260228", "format", None),
    ("since", "2026-W05-6", "format", None),
    ("since", "2026-02-28T00:00", "format", None),
    ("since", "２０２６-02-28", "format", None),
    ("since", 5, "type", "Enter text."),
    ("at", "2026-02-28", "format", None),
    ("hour", "25:00", "format", None),
    ("limit", "x", "type", "Enter a whole number."),
    ("name", None, "type", "Enter text."),
    ("name", "a\0b", "not_json", None),
    ("name", "\ud800", "not_json", None),
    ("name", "x" * 10_001, "too_long", None),
    ("extra", {"a": "b"}, "type", "Entry “a”: Enter a number."),
    ("codes", [1] * 1_001, "too_many", None),
    ("codes", [1, object()], "not_json", None),
    ("codes", (1,), "not_json", None),
]


@pytest.mark.parametrize(
    ("name", "value", "code", "message"),
    BAD,
    ids=lambda value: repr(value).split(" at 0x")[0][:30],
)
def test_a_value_that_does_not_fit_is_refused_in_words(name, value, code, message):
    errors = refused(**{name: value})
    assert errors[name][0] == code
    assert message in (None, errors[name][1])


def test_unset_is_not_null():
    assert clean() == {"name": "x"}
    assert clean(limit=None) == {"limit": None, "name": "x"}


def test_a_parameter_without_a_default_is_required():
    with pytest.raises(InvalidParameters) as caught:
        clean_parameters(SCHEMA, {})
    assert [(error.field, error.code) for error in caught.value.errors] == [
        ("name", "required")
    ]


def test_a_computed_parameter_may_be_left_to_the_notebook():
    assert "today" not in clean()


@pytest.mark.parametrize(
    "name", ["unknown", "x=1;import os;y", "__class__", "", "days "]
)
def test_an_unknown_name_is_refused(name):
    assert refused(**{name: 1})[name][0] == "unknown"


def test_every_error_is_told_at_once():
    assert set(refused(days=0, drug="x", other=1)) == {"days", "drug", "other"}


def test_values_must_be_an_object():
    with pytest.raises(InvalidParameters):
        clean_parameters(SCHEMA, ["days"])


def test_all_values_together_are_bounded():
    texts = "\n".join(f"t{number} = ''" for number in range(12))
    schema = infer_parameters(notebook(code(texts, tags=["parameters"]))).schema
    with pytest.raises(InvalidParameters) as caught:
        clean_parameters(schema, {f"t{number}": "x" * 9_999 for number in range(12)})
    assert caught.value.errors[0].code == "too_large"


def test_numbers_take_the_type_of_the_schema():
    values = clean(dose=2, days=5.0, extra={"a": 1}, codes=[1.0])
    assert [type(values[name]) for name in ("dose", "days")] == [float, int]
    assert type(values["codes"][0]) is int
    assert type(values["extra"]["a"]) is float


def test_values_come_in_the_order_of_the_schema():
    assert list(clean(codes=[], dose=1.0, days=5)) == ["days", "dose", "name", "codes"]


def test_a_notebook_without_parameters_takes_none():
    schema = infer_parameters(notebook()).schema
    assert clean_parameters(schema, {}) == {}


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.binary(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        | st.tuples(inner)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*SCHEMA["properties"], "other"]), ANYTHING))
def test_any_values_are_cleaned_or_refused_by_name(values):
    try:
        cleaned = clean_parameters(SCHEMA, values)
    except InvalidParameters:
        return
    assert cleaned == values
    assert clean_parameters(SCHEMA, cleaned) == cleaned
