"""Cells are taken apart as IPython would take them, without running anything."""

import pytest

from gallery.python_source import read_python


def marks(source: str) -> list[tuple[int, str, str]]:
    return [
        (magic.line, magic.mark, magic.name) for magic in read_python(source).magics
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("%matplotlib inline\nx = 1", [(1, "%", "matplotlib")]),
        ("x = 1\n!ls -l", [(2, "!", "ls")]),
        ("x = !ls", [(1, "!", "ls")]),
        ("x, y = %sql SELECT 1", [(1, "%", "sql")]),
        ("if x:\n    %run a.py\n    y = 1", [(2, "%", "run")]),
        ("x.mean?", [(1, "?", "x.mean?")]),
        ("?x", [(1, "?", "x")]),
        ("!!ls", [(1, "!!", "ls")]),
        ("# note \u2028!ls", [(2, "!", "ls")]),
    ],
)
def test_magics_are_found_and_the_rest_is_python(source, expected):
    assert marks(source) == expected
    assert read_python(source).tree is not None


@pytest.mark.parametrize(
    "source",
    ["x = (5\n% 3)", "x = '''\n%run a\n'''", "# %run a", "x = 5 % 3", "d = {1:\n 2}"],
)
def test_python_that_only_looks_like_a_magic_has_none(source):
    assert marks(source) == []
    assert read_python(source).tree is not None


@pytest.mark.parametrize("source", ["%%bash\nls\n", "\n\n  %%bash\nls\n"])
def test_a_cell_magic_takes_the_whole_cell(source):
    cell = read_python(source)
    assert cell.tree is None
    assert cell.error is None
    assert (cell.cell_magic.name, cell.body) == ("bash", "ls")


@pytest.mark.parametrize(
    "source", ["x = (", "print 'x'", "(" * 10_000, "x = \0", "\ud800"]
)
def test_what_is_no_python_is_an_error_and_never_an_exception(source):
    cell = read_python(source)
    assert cell.tree is None
    assert isinstance(cell.error, SyntaxError)


def test_line_numbers_stay_when_magics_are_taken_out():
    tree = read_python("%matplotlib inline\n\nx = 1").tree
    assert tree.body[-1].lineno == 3
