"""Whatever is approved is in the digest; whatever an execution adds is not."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.digest import version_digest
from tests.gallery.notebooks import code, markdown, notebook


def approved() -> dict[str, Any]:
    picture = {"p.png": {"image/png": "aGVsbG8="}}
    cells = [
        code("a = 1", tags=["parameters"]),
        markdown("![p](attachment:p.png)", attachments=picture),
        code("print(a)", jupyter={"source_hidden": True}),
    ]
    return {
        "notebook": notebook(*cells),
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer", "default": 1}},
        },
        "binding_mode": "append",
        "environment": "python-analytics",
        "environment_lock_sha256": "0" * 64,
        "manifest": {"tables": {"clinic.patients": ["mrn", "name"]}},
        "data_sources": ["hospital"],
        "limits": {},
    }


def test_the_digest_is_fixed_for_ever():
    """A change here means that every stored approval stops to apply: make a new tag instead."""
    digest = version_digest(**approved())
    assert digest == "e081d33ff73c67ee55156755a36899ce35f562b557fd197673592e92a6f9fbc3"


def _edit(path: list[Any], value: Any) -> dict[str, Any]:
    changed = approved()
    target: Any = changed
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return changed


CELLS = ["notebook", "cells"]
FLIPS = [
    ([*CELLS, 0, "source"], "a = 1 "),
    ([*CELLS, 0, "source"], "a = 2"),
    ([*CELLS, 0, "id"], "other"),
    ([*CELLS, 0, "cell_type"], "raw"),
    ([*CELLS, 0, "metadata", "tags"], []),
    ([*CELLS, 0, "metadata", "tags"], ["parameters", "skip-execution"]),
    ([*CELLS, 1, "source"], "text"),
    ([*CELLS, 1, "attachments"], {}),
    ([*CELLS, 1, "attachments", "p.png", "image/png"], "aGVsbG9="),
    ([*CELLS, 2, "metadata", "jupyter"], {}),
    ([*CELLS, 2, "metadata", "slideshow"], {"slide_type": "skip"}),
    (["notebook", "metadata", "kernelspec", "name"], "bash"),
    (["notebook", "metadata", "kernelspec", "language"], "bash"),
    (["notebook", "metadata", "parameterise"], {"a": {"display_name": "A"}}),
    (["parameters", "properties", "a", "default"], 2),
    (["parameters", "properties", "a", "default"], 1.0),
    (["parameters", "properties", "a", "default"], True),
    (["parameters", "properties", "b"], {}),
    (["binding_mode"], "replace"),
    (["environment"], "bash"),
    (["environment_lock_sha256"], "1" * 64),
    (["manifest"], None),
    (["manifest"], {"tables": {}}),
    (["manifest", "tables", "clinic.patients"], ["mrn"]),
    (["manifest", "tables", "clinic.notes"], ["body"]),
    (["limits"], {"memory_bytes": 2**31}),
    (["limits"], {"wall_clock_s": 1800}),
    (["data_sources"], []),
    (["data_sources"], ["hospital", "registry"]),
]


@pytest.mark.parametrize(("path", "value"), FLIPS, ids=lambda each: str(each)[-40:])
def test_a_change_of_anything_approved_changes_the_digest(path, value):
    assert version_digest(**_edit(path, value)) != version_digest(**approved())


def test_every_flip_has_a_digest_of_its_own():
    digests = [version_digest(**_edit(path, value)) for path, value in FLIPS]
    assert len(set(digests)) == len(digests)


def test_the_order_of_cells_is_part_of_it():
    changed = approved()
    changed["notebook"]["cells"].reverse()
    assert version_digest(**changed) != version_digest(**approved())


def test_what_an_execution_adds_is_not_part_of_it():
    changed = approved()
    changed["notebook"]["metadata"]["papermill"] = {"duration": 5}
    changed["notebook"]["metadata"]["language_info"]["version"] = "3.12"
    cell = changed["notebook"]["cells"][0]
    cell |= {
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "x"}],
        "execution_count": 4,
    }
    cell["metadata"]["execution"] = {"iopub.status.busy": "now"}
    assert version_digest(**changed) == version_digest(**approved())


def test_the_order_of_keys_tags_and_columns_is_not_part_of_it():
    changed = {name: _reversed(value) for name, value in reversed(approved().items())}
    changed["manifest"]["tables"]["clinic.patients"].reverse()
    assert version_digest(**changed) == version_digest(**approved())


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reversed(item) for key, item in reversed(value.items())}
    return [_reversed(item) for item in value] if isinstance(value, list) else value


def test_the_digest_does_not_change_its_input():
    given_input = approved()
    version_digest(**given_input)
    assert given_input == approved()


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.lists(TEXT, min_size=1, max_size=4), st.lists(TEXT, min_size=1, max_size=4))
def test_two_notebooks_have_one_digest_only_when_their_cells_are_equal(one, other):
    """No two splits of the same text into cells may meet."""
    base = approved()
    first = version_digest(**base | {"notebook": notebook(*map(code, one))})
    second = version_digest(**base | {"notebook": notebook(*map(code, other))})
    assert (first == second) == (one == other)


@given(st.data())
def test_one_flipped_character_anywhere_changes_the_digest(data):
    changed = copy.deepcopy(approved())
    cell = data.draw(st.sampled_from(changed["notebook"]["cells"]))
    field = data.draw(st.sampled_from(["source", "id"]))
    place = data.draw(st.integers(0, len(cell[field]) - 1))
    character = data.draw(
        st.characters(codec="ascii").filter(lambda each: each != cell[field][place])
    )
    cell[field] = cell[field][:place] + character + cell[field][place + 1 :]
    assert version_digest(**changed) != version_digest(**approved())


@pytest.mark.security
def test_what_is_declared_sensitive_is_approved_with_the_rest():
    """A record without values proves less: it cannot be made one after the signatures."""
    plain, declared = approved(), approved()
    block = {"sensitive_widgets": ["Number"]}
    declared["notebook"]["metadata"]["countersign"] = block
    every = copy.deepcopy(declared)
    every["notebook"]["metadata"]["countersign"]["sensitive_widgets"] = True
    digests = {version_digest(**each) for each in (plain, declared, every)}
    assert len(digests) == 3
