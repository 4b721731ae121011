"""A reviewer sees what changed between two versions, cell by cell and line by line."""

import random
import time

from hypothesis import given
from hypothesis import strategies as st

from gallery.diff import CellDiff, diff_notebooks
from tests.gallery.notebooks import code, markdown, notebook


def book(*cells: tuple[str, str]) -> dict:
    return notebook(*[code(source, cell_id=cell_id) for cell_id, source in cells])


def kinds(diffs: list[CellDiff]) -> list[tuple[str, int | None, int | None]]:
    return [(each.kind, each.old_index, each.new_index) for each in diffs]


A, B, C = ("a", "import os"), ("b", "x = 1\ny = 2"), ("c", "print(x)")


def test_equal_notebooks_have_only_equal_cells():
    diffs = diff_notebooks(book(A, B), book(A, B))
    assert kinds(diffs) == [("same", 0, 0), ("same", 1, 1)]
    assert [each.lines for each in diffs] == [[], []]


def test_a_changed_line_is_shown_among_the_others():
    (diff,) = diff_notebooks(book(B), book(("b", "x = 1\ny = 3")))
    assert diff.kind == "changed"
    assert diff.lines == [(" ", "x = 1"), ("-", "y = 2"), ("+", "y = 3")]


def test_an_added_and_a_removed_cell_are_shown_in_their_places():
    diffs = diff_notebooks(book(A, B, C), book(A, ("d", "new()"), C))
    assert kinds(diffs) == [
        ("same", 0, 0),
        ("removed", 1, None),
        ("added", None, 1),
        ("same", 2, 2),
    ] or kinds(diffs) == [
        ("same", 0, 0),
        ("added", None, 1),
        ("removed", 1, None),
        ("same", 2, 2),
    ]
    assert next(each for each in diffs if each.kind == "added").lines == [
        ("+", "new()")
    ]


def test_a_moved_cell_is_told_apart_from_a_changed_one():
    diffs = diff_notebooks(book(A, B, C), book(C, A, B))
    assert kinds(diffs) == [("moved", 2, 0), ("same", 0, 1), ("same", 1, 2)]
    assert diffs[0].lines == [(" ", "print(x)")]


def test_a_cell_that_moved_and_changed_shows_its_change():
    diffs = diff_notebooks(book(A, B, C), book(("c", "print(y)"), A, B))
    assert diffs[0].kind == "moved"
    assert ("+", "print(y)") in diffs[0].lines


def test_a_cell_with_a_new_id_is_found_by_its_content():
    assert kinds(diff_notebooks(book(A, B), book(("x", A[1]), ("y", B[1])))) == [
        ("same", 0, 0),
        ("same", 1, 1),
    ]


def test_a_changed_cell_with_a_new_id_is_found_by_likeness():
    diffs = diff_notebooks(
        book(("a", "x = read('patients')\nshow(x)")),
        book(("z", "x = read('patients')\nshow(y)")),
    )
    assert kinds(diffs) == [("changed", 0, 0)]


def test_a_cell_of_another_type_is_another_cell():
    diffs = diff_notebooks(
        notebook(code("x", cell_id="a")), notebook(markdown("x", id="a"))
    )
    assert sorted(each.kind for each in diffs) == ["added", "removed"]


def test_a_change_of_metadata_is_a_change():
    (diff,) = diff_notebooks(
        notebook(code("x")), notebook(code("x", tags=["skip-execution"]))
    )
    assert diff.kind == "changed"
    assert ("+", '⟨tags⟩ ["skip-execution"]') in diff.lines


def test_a_change_of_an_attachment_is_a_change():
    old = notebook(markdown("x", attachments={"p.png": {"image/png": "aaaa"}}))
    new = notebook(markdown("x", attachments={"p.png": {"image/png": "bbbb"}}))
    assert diff_notebooks(old, new)[0].kind == "changed"


def test_an_invisible_character_is_written_out():
    (diff,) = diff_notebooks(book(("a", "x = 1")), book(("a", "x = 1\u202e\u200b")))
    assert diff.lines == [("-", "x = 1"), ("+", "x = 1⟨U+202E⟩⟨U+200B⟩")]


def test_a_new_line_at_the_end_is_a_change():
    assert diff_notebooks(book(("a", "x")), book(("a", "x\n")))[0].kind == "changed"


def test_everything_is_added_to_an_empty_notebook():
    assert kinds(diff_notebooks(notebook(), book(A, B))) == [
        ("added", None, 0),
        ("added", None, 1),
    ]
    assert kinds(diff_notebooks(book(A, B), notebook())) == [
        ("removed", 0, None),
        ("removed", 1, None),
    ]


def test_large_notebooks_are_compared_within_seconds():
    rng = random.Random(4)
    words = [f"w{number}" for number in range(3_000)]
    old = book(
        *[(f"o{number}", " ".join(rng.choices(words, k=30))) for number in range(2_000)]
    )
    new = book(
        *[(f"n{number}", " ".join(rng.choices(words, k=30))) for number in range(2_000)]
    )
    huge = book(("h", "\n".join(rng.choices(words, k=50_000))))
    other = book(("h", "\n".join(rng.choices(words, k=50_000))))
    started = time.process_time()
    assert len(diff_notebooks(old, new)) == 4_000
    assert diff_notebooks(huge, other)[0].kind == "changed"
    assert time.process_time() - started < 10


CELLS = st.lists(
    st.tuples(
        st.sampled_from("abcdef"),
        st.sampled_from(["x = 1", "x = 1\ny = 2", "print(x)", "", "z"]),
    ),
    max_size=6,
    unique_by=lambda cell: cell[0],
)


@given(CELLS, CELLS)
def test_old_and_new_can_be_rebuilt_from_the_difference(old, new):
    """Nothing that changed can be missing from what the reviewer sees."""
    diffs = diff_notebooks(book(*old), book(*new))
    assert [each.new_index for each in diffs if each.new_index is not None] == list(
        range(len(new))
    )
    assert sorted(
        each.old_index for each in diffs if each.old_index is not None
    ) == list(range(len(old)))
    for each in diffs:
        if each.kind == "same":
            assert old[each.old_index][1] == new[each.new_index][1]
            continue
        before = "\n".join(text for mark, text in each.lines if mark in " -")
        after = "\n".join(text for mark, text in each.lines if mark in " +")
        if each.old_index is not None:
            assert before == old[each.old_index][1]
        if each.new_index is not None:
            assert after == new[each.new_index][1]
