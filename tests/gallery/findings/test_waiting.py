"""Cells that wait for a reader are told, unless they are kept for those who can answer."""

import pytest

from gallery.findings import Finding, find, widgets
from gallery.findings.waiting import CODE, LIVE_TAG
from tests.gallery.notebooks import code, notebook

MODULE = code("import ipython_blocking, jupyter_ui_poll\nimport jupyter_ui_poll as ui")
NAMES = code(
    "from jupyter_ui_poll import ui_events as events\n"
    "from ipython_blocking import CaptureExecution"
)


def waiting(source: str, *, tags: list[str] | None = None) -> list[Finding]:
    document = notebook(MODULE, NAMES, code(source, tags=tags))
    found = find(document, environment_packages=set())
    return [each for each in found if each.code == CODE]


@pytest.mark.parametrize(
    "source",
    [
        "x = 1\n%block button",
        "x = 1\n%blockrun button",
        "x = 1\njupyter_ui_poll.run_ui_poll_loop(done)",
        "\nui.ui_events()",
        "\nwith events() as poll:\n    poll(1)",
        "\nctx = CaptureExecution()",
    ],
)
def test_a_cell_that_waits_is_told_with_its_line(source: str) -> None:
    (finding,) = waiting(source)
    assert (finding.cell, finding.line, finding.severity) == (2, 2, "info")


@pytest.mark.parametrize(
    "source",
    [
        "%block button",
        "%blockrun button",
        "import jupyter_ui_poll\njupyter_ui_poll.run_ui_poll_loop(done)",
        "import jupyter_ui_poll as ui\nui.ui_events()",
        "from jupyter_ui_poll import ui_events as events\nevents()",
        "from ipython_blocking import CaptureExecution\nCaptureExecution()",
        "ipython_blocking.CaptureExecution()",
    ],
)
def test_whatever_waits_can_be_opened_as_a_live_page(source: str) -> None:
    found = find(notebook(code(source)), environment_packages=set())
    assert {CODE, widgets.CODE} <= {each.code for each in found}


@pytest.mark.parametrize(
    "source",
    [
        "for x in ui.with_ui_events([1]): pass",
        "ui.other()",
        "block = 1",
        "blocked()",
        "x = '%block'",
        "events = 1",
    ],
)
def test_a_cell_that_does_not_is_not(source: str) -> None:
    assert waiting(source) == []


@pytest.mark.parametrize("tag", [LIVE_TAG, "Live-Only", "skip-execution"])
def test_a_cell_that_is_left_out_without_a_page_never_waits_in_vain(tag: str) -> None:
    assert waiting("%block button", tags=["other"])
    assert waiting("%block button", tags=[tag]) == []


def test_a_cell_for_live_pages_says_so() -> None:
    found = find(notebook(code("1", tags=[LIVE_TAG])), environment_packages=set())
    assert [each.code for each in found] == ["live_only_cell"]
