"""Parameters reach the notebook as data: every value arrives exactly, and none becomes code."""

import ast
import copy
import datetime
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.parameters.infer import infer_parameters
from gallery.parameters.validate import InvalidParameters
from runner.parameters import inject as inject_module
from runner.parameters.inject import (
    UnsafeValue,
    UnsupportedLanguage,
    inject,
    injected_source,
    read_injected,
)
from runner.parameters.literals import python_literal
from tests.gallery.notebooks import code, markdown, notebook
from tests.runner.parameters.cases import NOTEBOOK, SCHEMA


def run(source: str) -> dict[str, Any]:
    """Run an injected cell in a namespace of its own."""
    namespace: dict[str, Any] = {}
    exec(compile(source, "injected", "exec"), namespace)
    del namespace["__builtins__"]
    return namespace


def test_the_cell_sets_each_value_once():
    source = injected_source(SCHEMA, {"name": "Zoë", "days": 5}, language="python")
    assert source == "# Parameters\ndays = 5\nname = 'Zo\\xeb'\n"


def test_a_name_may_have_letters_of_any_alphabet():
    schema = infer_parameters(
        notebook(code("größe = 5\n患者 = 'x'\n", tags=["parameters"]))
    ).schema
    values = {"größe": 7, "患者": "Zoë\u202e"}
    source = injected_source(schema, values, language="python")
    assert run(source) == values
    assert read_injected(source, schema, language="python") == values
    assert "Zo\\xeb\\u202e" in source


def test_letters_beyond_ascii_stand_in_names_only(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inject_module, "python_literal", lambda value, _: repr(value))
    with pytest.raises(UnsafeValue, match="ASCII"):
        injected_source(SCHEMA, {"name": "Zoë"}, language="python")


def test_nothing_to_set_is_no_cell():
    assert (
        injected_source(infer_parameters(notebook()).schema, {}, language="python")
        == ""
    )


def test_dates_arrive_as_dates_and_need_no_import():
    values = {
        "name": "x",
        "since": "2026-02-28",
        "at": "2026-02-28T08:30:00+01:00",
        "hour": "08:30",
    }
    arrived = run(injected_source(SCHEMA, values, language="python"))
    assert arrived["since"] == datetime.date(2026, 2, 28)
    assert arrived["at"].isoformat() == "2026-02-28T08:30:00+01:00"
    assert arrived["hour"] == datetime.time(8, 30)


def test_a_date_may_be_null():
    schema = infer_parameters(
        notebook(code("d: date | None = None", tags=["parameters"]))
    ).schema
    assert run(injected_source(schema, {"d": None}, language="python")) == {"d": None}


def test_a_date_whose_default_is_text_arrives_as_text():
    schema = infer_parameters(
        notebook(code("d: date = '2026-01-01'", tags=["parameters"]))
    ).schema
    assert run(injected_source(schema, {"d": "2026-02-01"}, language="python")) == {
        "d": "2026-02-01"
    }


HOSTILE = [
    "'; import os; os.system('id') #",
    '"""',
    "\\",
    "\\N{BULLET}",
    "{name} %s $(id) `id` ${HOME}",
    "a\nb",
    "a\r\nb",
    "\u2028\u2029\x85\x0b\x0c",
    "\u202eevil",
    "😀é\u0301",
    "\x01\x03\x04\x1b[2J\x7f\t",
    "!! !$ !-1",
    "'\"'\"'",
    "x" * 5_000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_arrives_as_it_is_in_python(text):
    source = injected_source(SCHEMA, {"name": text}, language="python")
    assert source.isascii()
    assert len(ast.parse(source).body) == 1
    assert run(source) == {"name": text}


def _bash_schema() -> dict[str, Any]:
    kernel = {"kernelspec": {"name": "bash", "language": "bash"}}
    return infer_parameters(
        notebook(code("name='x'\nother='y'", tags=["parameters"]), **kernel)
    ).schema


def _bash_arrival(text: str) -> bytes:
    source = injected_source(
        _bash_schema(), {"name": text, "other": "z"}, language="bash"
    )
    assert source.isascii()
    assert source.count("\n") == 3
    script = f'set -H -o history\n{source}printf \'%s\\0%s\' "$name" "$other"\n'
    done = subprocess.run(
        ["bash", "--norc", "-s"],
        input=script.encode(),
        capture_output=True,
        check=True,
        env={},
    )
    return done.stdout


@pytest.mark.parametrize("text", [*HOSTILE, ""])
def test_hostile_text_arrives_as_it_is_in_bash(text):
    assert _bash_arrival(text) == text.encode() + b"\0z"


def test_bash_cells_hold_no_character_that_a_terminal_would_act_on():
    source = injected_source(
        _bash_schema(), {"name": "".join(map(chr, range(1, 256)))}, language="bash"
    )
    assert all(character == "\n" or character.isprintable() for character in source)
    assert "!" not in source


def test_numbers_and_flags_are_written_for_bash():
    schema = {
        "type": "object",
        "properties": {name: {} for name in "abcde"},
        "additionalProperties": False,
    }
    values = {"a": True, "b": 5, "c": None, "d": [1, "x"], "e": 1.5}
    source = injected_source(schema, values, language="bash")
    assert source == "# Parameters\na='true'\nb='5'\nc=''\nd='[1, \"x\"]'\ne='1.5'\n"


def test_another_language_is_refused():
    with pytest.raises(UnsupportedLanguage) as caught:
        injected_source(SCHEMA, {"name": "x"}, language="r")
    assert caught.value.language == "r"


@pytest.mark.parametrize(
    "name",
    ["x=1;import os;y", "__builtins__", "In", "class", "get_ipython", "a b", "ﬁ"],
)
@pytest.mark.parametrize("language", ["python", "bash"])
def test_an_unsafe_name_is_refused_even_when_a_schema_has_it(name, language):
    schema = {"type": "object", "properties": {name: {}}, "additionalProperties": False}
    with pytest.raises(UnsafeValue):
        injected_source(schema, {name: 1}, language=language)


@pytest.mark.parametrize("name", ["PATH", "PGHOST", "BASH_ENV", "LD_PRELOAD"])
def test_a_name_of_the_shell_is_refused(name):
    schema = {"type": "object", "properties": {name: {}}, "additionalProperties": False}
    with pytest.raises(UnsafeValue):
        injected_source(schema, {name: "x"}, language="bash")


def test_a_name_outside_the_schema_is_refused():
    with pytest.raises(InvalidParameters):
        injected_source(SCHEMA, {"name": "x", "other": 1}, language="python")


@pytest.mark.parametrize(
    "bind",
    ["date", "datetime", "time", "Path", "date.today() or __import__('os').system"],
)
def test_a_bound_value_that_is_no_date_is_refused(bind):
    with pytest.raises(UnsafeValue):
        python_literal("2026-01-01') or __import__('os').system('id", bind)


@pytest.mark.parametrize(
    "value",
    [
        {1: 2},
        (1,),
        {1},
        b"x",
        1j,
        float("nan"),
        float("inf"),
        object(),
        datetime.date(2026, 1, 1),
    ],
)
def test_what_is_not_json_is_never_written(value):
    with pytest.raises(UnsafeValue):
        python_literal(value, None)


@pytest.mark.parametrize(
    "source",
    [
        "name = 'x'\nimport os",
        "name = other",
        "name = 'x' + 'y'",
        "name = f'{1}'",
        "name = print(1)",
        "name: str = 'x'",
        "name = days = 1",
        "name += 'x'",
        "name = 'x'\nname = 'x'",
        "other = 'x'",
        "since = __import__('os').date.fromisoformat('2026-01-01')",
        "since = __import__('datetime').date.fromisoformat(name)",
        "since = __import__('datetime').datetime.fromisoformat('2026-01-01')",
        "since = __import__('datetime').date.fromisoformat('2026-01-01', 1)",
        "name = __import__('datetime').date.fromisoformat('2026-01-01')",
        "(",
    ],
)
def test_a_cell_that_does_anything_else_is_not_read(source):
    with pytest.raises(UnsafeValue):
        read_injected(source, SCHEMA, language="python")


@pytest.mark.parametrize(
    "line",
    [
        "name=x",
        'name="$(id)"',
        "name='a'; id",
        "name='a' id",
        "name=$'\\n'",
        "name=$'\\x'",
        "id",
        "export name='x'",
    ],
)
def test_a_bash_cell_that_does_anything_else_is_not_read(line):
    with pytest.raises(UnsafeValue):
        read_injected(line, _bash_schema(), language="bash")


@pytest.mark.parametrize(
    "wrong",
    [
        "6",
        "5.0",
        "True",
        "'5'",
        "[5]",
        "days",
        "print(5)",
        "5\nimport os",
        "5 # \u00e9",
        "(",
    ],
)
def test_a_writer_gone_wrong_is_caught_by_reading_back(wrong, monkeypatch):
    """The second line of defence, so the first one is broken on purpose."""
    monkeypatch.setattr(inject_module, "python_literal", lambda value, bind: wrong)
    schema = infer_parameters(notebook(code("days = 1", tags=["parameters"]))).schema
    with pytest.raises(UnsafeValue):
        injected_source(schema, {"days": 5}, language="python")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["k", "'", "é", '"', "\\"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)
ANY = {
    "type": "object",
    "properties": {"v": {}, "w": {}},
    "additionalProperties": False,
}


@given(JSON, JSON)
def test_every_json_value_arrives_exactly(one, other):
    values = {"v": one, "w": other}
    try:
        source = injected_source(ANY, values, language="python")
    except InvalidParameters:
        assert str(-(2**53)) in repr(values)
        return
    assert repr(run(source)) == repr(values)
    assert source.isascii()
    assert len(ast.parse(source).body) == 2


@given(
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40
    )
)
def test_every_text_is_read_back_from_bash(text):
    source = injected_source(_bash_schema(), {"name": text}, language="bash")
    assert read_injected(source, _bash_schema(), language="bash") == {"name": text}


def test_the_cell_comes_right_after_the_parameters_cell():
    result = inject(NOTEBOOK, "# Parameters\ndays = 5\n")
    assert [cell["metadata"].get("tags") for cell in result["cells"]] == [
        None,
        ["parameters"],
        ["injected-parameters"],
        None,
    ]


def test_without_a_parameters_cell_it_comes_first():
    assert inject(notebook(markdown("a")), "x = 1")["cells"][0]["source"] == "x = 1"


def test_a_cell_injected_earlier_is_replaced():
    earlier = notebook(
        code("x = 0"), code("x = 9", tags=["injected-parameters"]), code("x")
    )
    assert [cell["source"] for cell in inject(earlier, "x = 1")["cells"]] == [
        "x = 0",
        "x = 1",
        "x",
    ]


def test_two_parameters_cells_get_one_injection_after_the_first():
    two = notebook(
        code("x = 0", tags=["parameters"]), code("x = 2", tags=["parameters"])
    )
    assert [cell["source"] for cell in inject(two, "x = 1")["cells"]] == [
        "x = 0",
        "x = 1",
        "x = 2",
    ]


def test_the_given_notebook_is_left_alone():
    before = copy.deepcopy(NOTEBOOK)
    inject(NOTEBOOK, "x = 1")["cells"][0]["source"] = "changed"
    assert before == NOTEBOOK


def test_no_source_adds_no_cell():
    assert inject(NOTEBOOK, "") == NOTEBOOK


def test_the_new_cell_has_an_id_of_its_own():
    taken = notebook(
        code("1", cell_id="injected-parameters"),
        code("2", cell_id="injected-parameters-2"),
    )
    ids = [cell["id"] for cell in inject(taken, "x = 1")["cells"]]
    assert len(set(ids)) == 3
