"""A layout and a tag count only where they were among what was signed."""

import json

import pytest

from gallery.arranged import as_run, as_signed
from gallery.findings import find
from gallery.layouts import Kind, read_layout
from gallery.models import Version
from tests.gallery.layouts import at, grid_of
from tests.gallery.notebooks import code, notebook

pytestmark = pytest.mark.security
ARRANGED = grid_of(at(0, 0), None)


def found(notebook) -> list[dict]:
    return [vars(each) for each in find(notebook, environment_packages=set())]


def test_a_layout_that_was_found_counts() -> None:
    version = Version(findings=found(ARRANGED))
    assert as_signed(version, ARRANGED) == ARRANGED


def test_one_that_nobody_was_told_of_does_not_and_all_else_stays() -> None:
    before = json.dumps(ARRANGED)
    shown = as_signed(Version(findings=[]), ARRANGED)
    assert read_layout(shown).kind == Kind.NOTEBOOK
    assert read_layout(shown).hidden == frozenset()
    assert shown["cells"] == ARRANGED["cells"]
    assert shown["metadata"].keys() == ARRANGED["metadata"].keys() - {"extensions"}
    assert json.dumps(ARRANGED) == before


def test_a_notebook_without_metadata_has_none_afterwards() -> None:
    version = Version(findings=[])
    assert as_signed(version, {"cells": []}) == {"cells": [], "metadata": {}}


TAGGED = notebook(code("1", tags=["Live-Only", "kept"]), code("2"))


@pytest.mark.parametrize("given", [as_run, as_signed])
def test_a_tag_that_was_found_counts(given) -> None:
    version = Version(findings=found(TAGGED))
    assert given(version, TAGGED)["cells"] == TAGGED["cells"]


@pytest.mark.parametrize("given", [as_run, as_signed])
def test_one_that_had_no_meaning_is_taken_away_and_all_else_stays(given) -> None:
    before = json.dumps(TAGGED)
    first, second = given(Version(findings=[]), TAGGED)["cells"]
    assert first == {**TAGGED["cells"][0], "metadata": {"tags": ["kept"]}}
    assert second == TAGGED["cells"][1]
    assert json.dumps(TAGGED) == before


def test_what_is_executed_keeps_its_layout() -> None:
    assert as_run(Version(findings=[]), ARRANGED) == ARRANGED
