"""A notebook is brought to one form, the same each time."""

import codecs
import hashlib
import json

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.intake import read_notebook
from tests.gallery.notebooks import as_bytes, code, markdown, notebook


def test_the_document_is_canonical_json():
    intake = read_notebook(as_bytes(notebook(code("x = 'ä'"))))
    text = intake.document.decode()
    assert (
        text
        == json.dumps(intake.notebook, sort_keys=True, indent=1, ensure_ascii=False)
        + "\n"
    )
    assert "ä" in text
    assert "\r" not in text


def test_the_original_is_remembered_by_its_hash():
    data = as_bytes(notebook(code("1")))
    assert read_notebook(data).original_sha256 == hashlib.sha256(data).hexdigest()


def test_equal_bytes_give_equal_documents():
    data = as_bytes(
        {
            "nbformat": 4,
            "nbformat_minor": 2,
            "metadata": {},
            "cells": [code("1"), code("1"), markdown("a")],
        }
    )
    assert read_notebook(data).document == read_notebook(data).document


def test_reading_a_document_again_changes_nothing():
    first = read_notebook(
        as_bytes(notebook(code(["a\r\n", "b"], tags=["z", "a"]), markdown("# t")))
    )
    second = read_notebook(first.document)
    assert second.document == first.document
    assert second.removed == []


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"],
)
def test_every_unicode_encoding_gives_the_same_document(encoding):
    text = json.dumps(notebook(code("name = 'Zoë 😀'")), ensure_ascii=False)
    assert (
        read_notebook(text.encode(encoding)).document
        == read_notebook(text.encode()).document
    )


def test_a_second_byte_order_mark_is_not_swallowed():
    with pytest.raises(ValueError, match="not valid JSON"):
        read_notebook(codecs.BOM_UTF8 * 2 + as_bytes(notebook()))


@pytest.mark.parametrize("source", ["a\r\nb", "a\rb", ["a\r\n", "b"], ["a\n", "b"]])
def test_lines_are_joined_and_end_in_lf(source):
    assert (
        read_notebook(as_bytes(notebook(code(source)))).notebook["cells"][0]["source"]
        == "a\nb"
    )


def test_source_is_otherwise_left_as_it_is():
    source = "x = 'e\u0301'  # decomposed\n\tand\u00a0a tab \n\n"
    assert (
        read_notebook(as_bytes(notebook(code(source)))).notebook["cells"][0]["source"]
        == source
    )


@pytest.mark.parametrize("minor", range(6))
def test_every_minor_of_format_4_becomes_4_5(minor):
    value = {
        "nbformat": 4,
        "nbformat_minor": minor,
        "metadata": {},
        "cells": [code("1"), markdown("a")],
    }
    taken = read_notebook(as_bytes(value)).notebook
    assert (taken["nbformat"], taken["nbformat_minor"]) == (4, 5)
    nbformat.validate(nbformat.from_dict(taken))


def test_missing_ids_are_derived_from_place_and_content():
    cells = [code("1"), code("1"), code("2")]
    value = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}
    ids = [cell["id"] for cell in read_notebook(as_bytes(value)).notebook["cells"]]
    assert len(set(ids)) == 3
    value["cells"] = [*cells, code("3")]
    assert [cell["id"] for cell in read_notebook(as_bytes(value)).notebook["cells"]][
        :3
    ] == ids


@pytest.mark.parametrize("bad", ["same", "", "a b", "x" * 65, "line\n", 7, None])
def test_an_unusable_or_repeated_id_is_replaced_and_the_first_keeps_its_own(bad):
    taken = read_notebook(
        as_bytes(notebook(code("1", cell_id="same"), code("2") | {"id": bad}))
    )
    ids = [cell["id"] for cell in taken.notebook["cells"]]
    assert ids[0] == "same"
    assert ids[1] != bad
    assert "1 cell had no usable id of its own and was given one." in taken.removed


def test_a_derived_id_never_takes_one_that_a_later_cell_has():
    value = notebook(code("1"), code("2"))
    value["cells"][0]["id"] = "?"
    derived = read_notebook(as_bytes(value)).notebook["cells"][0]["id"]
    value["cells"][1]["id"] = derived
    ids = [cell["id"] for cell in read_notebook(as_bytes(value)).notebook["cells"]]
    assert ids[1] == derived
    assert ids[0] != derived


FORMAT_3 = {
    "nbformat": 3,
    "nbformat_minor": 0,
    "metadata": {"name": "old", "signature": "sha256:abc"},
    "worksheets": [
        {
            "cells": [
                {
                    "cell_type": "heading",
                    "level": 2,
                    "metadata": {},
                    "source": ["Two\n", "lines"],
                },
                {"cell_type": "markdown", "metadata": {}, "source": "text"},
                {"cell_type": "html", "metadata": {}, "source": "<b>x</b>"},
                {
                    "cell_type": "code",
                    "language": "python",
                    "collapsed": True,
                    "input": ["a = 1\n", "a"],
                    "metadata": {},
                    "outputs": [
                        {"output_type": "stream", "stream": "stdout", "text": "CANARY"}
                    ],
                    "prompt_number": 3,
                },
            ],
        },
        {"cells": [{"cell_type": "raw", "metadata": {}, "source": "raw"}]},
    ],
}


def test_format_3_becomes_4_5_the_same_way_each_time():
    taken = read_notebook(as_bytes(FORMAT_3))
    assert taken.document == read_notebook(as_bytes(FORMAT_3)).document
    cells = taken.notebook["cells"]
    assert [cell["cell_type"] for cell in cells] == [
        "markdown",
        "markdown",
        "markdown",
        "code",
        "raw",
    ]
    assert [cell["source"] for cell in cells] == [
        "## Two lines",
        "text",
        "<b>x</b>",
        "a = 1\na",
        "raw",
    ]
    nbformat.validate(nbformat.from_dict(taken.notebook))
    assert (
        "The notebook was in format 3 and was brought to format 4.5." in taken.removed
    )
    assert "Outputs of 1 cell were removed." in taken.removed
    assert b"CANARY" not in taken.document


@pytest.mark.parametrize(
    ("metadata", "kernel", "language"),
    [
        ({"kernelspec": {"name": "python3", "display_name": "x"}}, "python3", "python"),
        (
            {
                "kernelspec": {"name": "bash", "display_name": "x"},
                "language_info": {"name": "python"},
            },
            "bash",
            "bash",
        ),
        (
            {"kernelspec": {"name": "ir", "display_name": "x", "language": "R"}},
            "ir",
            "r",
        ),
        (
            {
                "kernelspec": {
                    "name": "julia-1.9",
                    "display_name": "x",
                    "language": "julia",
                }
            },
            "julia-1.9",
            "julia",
        ),
        ({"language_info": {"name": "bash"}}, "bash", "bash"),
        ({}, "python3", "python"),
    ],
)
def test_the_kernel_decides_the_language(metadata, kernel, language):
    value = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": []}
    taken = read_notebook(as_bytes(value))
    assert (taken.kernel_name, taken.language) == (kernel, language)
    assert taken.notebook["metadata"]["kernelspec"]["name"] == kernel
    assert taken.notebook["metadata"]["language_info"]["name"] == language


def test_a_kernel_that_was_assumed_is_told():
    value = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
    assert (
        "No kernel was named, so python3 is assumed."
        in read_notebook(as_bytes(value)).removed
    )


@given(
    st.lists(
        st.text(
            st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
            max_size=40,
        ),
        max_size=5,
    )
)
def test_any_sources_survive_but_for_their_line_ends(sources):
    taken = read_notebook(as_bytes(notebook(*map(code, sources))))
    expected = [source.replace("\r\n", "\n").replace("\r", "\n") for source in sources]
    assert [cell["source"] for cell in taken.notebook["cells"]] == expected
    assert read_notebook(taken.document).document == taken.document


def test_a_kernel_of_the_authors_own_is_replaced_by_python3_and_told():
    taken = read_notebook(as_bytes(notebook(code("1"), kernel="conda-env-ada-py")))
    assert taken.kernel_name == "python3"
    assert b"conda" not in taken.document
    assert any("python3 is used in its place" in note for note in taken.removed)
