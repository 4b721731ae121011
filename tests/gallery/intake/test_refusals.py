"""Each hostile or broken file is refused by its own exception, never by a server error."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.intake import IntakeError, errors, read_notebook
from tests.gallery.notebooks import as_bytes, code, markdown, notebook


def raw(fragment: str) -> bytes:
    """A valid notebook file with ``fragment`` in its metadata."""
    return as_bytes(notebook(code("1"), probe="@@")).replace(b'"@@"', fragment.encode())


REFUSED = [
    (b"", errors.NotJson),
    (b"{", errors.NotJson),
    (b"not json", errors.NotJson),
    (b"\xff\xfe\xfd", errors.NotText),
    (b'{"a": "\xed\xa0\x80"}', errors.NotText),
    (raw("[" * 100_000 + "]" * 100_000), errors.TooDeep),
    (b"[" * 5_000_000, errors.TooDeep),
    (raw('{"a": 1, "a": 2}'), errors.DuplicateKey),
    (raw('"\\ud800"'), errors.LoneSurrogate),
    (raw('{"\\udfff": 1}'), errors.LoneSurrogate),
    (raw('"\\u0000"'), errors.NullCharacter),
    (raw('"a"') + b"\0", errors.NullCharacter),
    (raw("NaN"), errors.NotANumber),
    (raw("Infinity"), errors.NotANumber),
    (raw("-Infinity"), errors.NotANumber),
    (raw("1e999"), errors.NumberTooLarge),
    (raw("9" * 5_000), errors.NumberTooLarge),
    (
        as_bytes(notebook(code("1"), countersign={"sensitive_widgets": "Name"})),
        errors.InvalidDeclaration,
    ),
    (b"[]", errors.NotANotebook),
    (b'"text"', errors.NotANotebook),
    (b"{}", errors.NotANotebook),
    (
        as_bytes({"nbformat": 5, "nbformat_minor": 0, "metadata": {}, "cells": []}),
        errors.UnknownFormat,
    ),
    (as_bytes({"nbformat": 2, "worksheets": []}), errors.UnknownFormat),
    (as_bytes({"nbformat": True}), errors.UnknownFormat),
    (as_bytes({"nbformat": "4"}), errors.UnknownFormat),
    (as_bytes({"nbformat": 4, "nbformat_minor": -1}), errors.UnknownFormat),
    (
        as_bytes({"nbformat": 4, "nbformat_minor": 5, "metadata": {}}),
        errors.InvalidNotebook,
    ),
    (
        as_bytes({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": {}}),
        errors.InvalidNotebook,
    ),
    (
        as_bytes({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [1]}),
        errors.InvalidNotebook,
    ),
    (
        as_bytes(notebook({"cell_type": "weird", "metadata": {}, "source": ""})),
        errors.InvalidNotebook,
    ),
    (as_bytes(notebook(code("1") | {"extra": 1})), errors.InvalidNotebook),
    (as_bytes(notebook(code("1") | {"source": 5})), errors.InvalidNotebook),
    (as_bytes(notebook(code("1") | {"metadata": None})), errors.InvalidNotebook),
    (as_bytes(notebook(code("1")) | {"extra": 1}), errors.InvalidNotebook),
    (as_bytes({"nbformat": 3, "worksheets": 5}), errors.InvalidNotebook),
    (
        as_bytes(notebook(code("1"), kernel="../../evil", language="r")),
        errors.InvalidNotebook,
    ),
    (as_bytes(notebook(*[markdown("x")] * 2_001)), errors.TooManyCells),
    (as_bytes(notebook(code("x" * 1_000_001))), errors.CellTooLarge),
]


@pytest.mark.parametrize(
    ("data", "error"), REFUSED, ids=lambda value: getattr(value, "code", None)
)
def test_a_bad_file_is_refused_by_its_own_error(data, error):
    with pytest.raises(IntakeError) as caught:
        read_notebook(data)
    assert type(caught.value) is error


def test_every_error_has_its_own_code_and_is_exercised():
    classes = set(IntakeError.__subclasses__())
    assert len({each.code for each in classes}) == len(classes)
    also_tested_below = {errors.TooLarge, errors.TooMuchMetadata}
    assert classes == {error for _, error in REFUSED} | also_tested_below


def test_a_file_over_the_limit_is_refused_before_it_is_read():
    with pytest.raises(errors.TooLarge) as caught:
        read_notebook(b"x" * 10_000_001)
    assert caught.value.detail == {"size_bytes": 10_000_001, "max_bytes": 10_000_000}


def test_ten_million_bytes_are_not_too_large():
    padding = 10_000_000 - len(as_bytes(notebook(code("1"), x="")))
    assert read_notebook(as_bytes(notebook(code("1"), x="a" * padding))).removed


def test_a_document_that_grows_over_the_limit_is_refused():
    data = as_bytes(notebook(*[markdown("x")] * 100))
    with pytest.raises(errors.TooLarge):
        read_notebook(data, max_bytes=len(data))


def test_metadata_that_grows_by_indentation_is_refused():
    layout = {"name": "x" * 90, "type": "grid"}
    views = {f"{'v' * 80}{number}": layout for number in range(6_000)}
    wide = {"jupyter_dashboards": {"version": 1, "views": views}}
    with pytest.raises(errors.TooMuchMetadata):
        read_notebook(as_bytes(notebook(code("1"), extensions=wide)))


def test_an_integer_that_browsers_would_round_is_refused_where_it_is_kept():
    wide = {"jupyter_dashboards": {"version": 2**53}}
    with pytest.raises(errors.NumberTooLarge):
        read_notebook(as_bytes(notebook(code("1"), extensions=wide)))
    assert read_notebook(as_bytes(notebook(code("1"), other=2**60)))


def test_the_duplicate_key_is_named_in_plain_ascii():
    with pytest.raises(errors.DuplicateKey) as caught:
        read_notebook('{"\u202e<b>": 1, "\u202e<b>": 2}'.encode())
    assert caught.value.detail["key"].isascii()


def test_a_duplicate_key_in_an_output_is_refused_too():
    data = as_bytes(notebook(code("1"))).replace(
        b'"outputs": []', b'"outputs": [{"a": 1, "a": 1}]'
    )
    with pytest.raises(errors.DuplicateKey):
        read_notebook(data)


def test_nesting_of_64_is_allowed_and_65_is_not():
    # The probe itself is inside the notebook and its metadata: two levels.
    assert read_notebook(raw("[" * 62 + "]" * 62))
    with pytest.raises(errors.TooDeep):
        read_notebook(raw("[" * 63 + "]" * 63))


def test_brackets_inside_strings_do_not_count_as_nesting():
    assert read_notebook(as_bytes(notebook(code('x = "' + "[{" * 500 + '\\""'))))


@pytest.mark.parametrize(
    "text",
    [
        '"' * 4_000_000,
        '"\\' * 2_000_000,
        "[" * 60 + '"a' * 1_000_000,
        "{}," * 1_000_000,
    ],
)
def test_a_file_made_to_be_slow_is_refused_within_seconds(text):
    started = time.process_time()
    with pytest.raises(IntakeError):
        read_notebook(text.encode())
    assert time.process_time() - started < 5


def test_the_invalid_cell_is_named():
    with pytest.raises(errors.InvalidNotebook) as caught:
        read_notebook(as_bytes(notebook(code("1"), code("2") | {"metadata": 5})))
    assert "Cell 2" in caught.value.message


@given(st.binary(max_size=200))
def test_any_bytes_end_in_an_intake_error(data):
    with pytest.raises(IntakeError):
        read_notebook(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["cells", "metadata", "worksheets", "nbformat_minor"]), JSON
    ),
    st.sampled_from([3, 4]),
)
def test_any_json_of_a_known_format_is_taken_in_or_refused_by_name(value, major):
    try:
        read_notebook(json.dumps(value | {"nbformat": major}).encode())
    except IntakeError:
        return


@given(
    st.dictionaries(
        st.sampled_from(["tags", "jupyter", "extensions", "slideshow", "format", "x"]),
        JSON,
    ),
    JSON,
)
def test_any_metadata_is_taken_in_or_refused_by_name(cell_metadata, kept):
    names = ["parameterise", "extensions", "voila", "kernelspec", "language_info"]
    value = notebook(code("1", **cell_metadata)) | {
        "metadata": dict.fromkeys(names, kept)
    }
    try:
        read_notebook(json.dumps(value).encode())
    except IntakeError:
        return
