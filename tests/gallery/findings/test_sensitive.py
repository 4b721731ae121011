"""Whoever signs is told that the record of a live page will have less in it."""

from typing import Any

import pytest

from gallery.findings import Finding, find
from tests.gallery.notebooks import code, notebook

pytestmark = pytest.mark.security


def look(source: str, declared: Any) -> list[Finding]:
    block = {"sensitive_widgets": declared}
    made = notebook(code(source), countersign=block)
    return [
        each
        for each in find(made, environment_packages=set())
        if each.code in {"values_not_kept", "unknown_control"}
    ]


def test_it_names_the_controls_and_warns() -> None:
    [found] = look("Text(description='Number')", ["Number"])
    assert (found.code, found.severity) == ("values_not_kept", "warning")
    assert "set “Number” to is not kept" in found.message


def test_where_every_control_is_sensitive_it_says_so() -> None:
    [found] = look("1", declared=True)
    assert "set any control to is not kept" in found.message


@pytest.mark.parametrize("source", ["Text(description=name)", "# Number", "''"])
def test_a_name_that_no_code_says_is_doubted(source: str) -> None:
    found = look(source, ["Number"])
    assert [each.code for each in found] == ["values_not_kept", "unknown_control"]
    assert "“Number”" in found[1].message


def test_a_notebook_that_declares_nothing_is_not_spoken_of() -> None:
    made = notebook(code("Text(description='Number')"))
    codes = [each.code for each in find(made, environment_packages=set())]
    assert "values_not_kept" not in codes
