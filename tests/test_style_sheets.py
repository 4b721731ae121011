"""The colours and sizes of the product are one set, though three pages each carry them."""

import re

import pytest

from tests.support.environment import REPOSITORY

ORIGINAL = "static/css/countersign.css"
COPIES = ("runner/sessions/frontend/page.css", "runner/results/templates/result.css")
#: What a copy calls by a shorter name.
RENAMED = {"--sans": "--bs-body-font-family"}


def tokens(name: str) -> dict[str, str]:
    """What the sheet sets for the whole page; of light and dark both."""
    sheet = (REPOSITORY / name).read_text(encoding="utf-8")
    roots = re.findall(r"^:root[^{]*\{(.*?)^\}", sheet, re.MULTILINE | re.DOTALL)
    found: dict[str, str] = {}
    for root in roots:
        for token, value in re.findall(r"(--[\w-]+):\s*([^;]+);", root):
            assert found.setdefault(token, value) == value, token
    return found


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_has_the_colours_of_the_original_in_both_schemes(copy):
    original, copied = tokens(ORIGINAL), tokens(copy)
    assert len(copied) > 10
    for token, value in copied.items():
        assert value == original[RENAMED.get(token, token)], token
    two = [token for token, value in copied.items() if value.startswith("light-dark(")]
    assert len(two) > 8


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_uses_no_token_that_it_does_not_have(copy):
    sheet = (REPOSITORY / copy).read_text(encoding="utf-8")
    assert set(re.findall(r"var\((--[\w-]+)", sheet)) <= tokens(copy).keys()
