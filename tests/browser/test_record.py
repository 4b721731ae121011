"""What was done on a live page, read and replayed: by keyboard, with and without scripts."""

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from runner.live.withheld import VIEW_MIME
from runner.models import Run
from tests.browser.axe import serious_findings
from tests.browser.conftest import Open
from tests.factories.gallery import person
from tests.runner.launching import approved
from tests.runner.recorded import (
    DAYS,
    NOTE,
    PASSWORD,
    WARD,
    changed,
    entry,
    kept,
    opened,
    recorded_run,
    says,
    shown,
)
from tests.support.fixtures import Site

pytestmark = pytest.mark.slow


def view(comm_id: str) -> dict:
    """A control as an output."""
    data = {VIEW_MIME: {"model_id": comm_id}}
    return {"output_type": "display_data", "data": data, "metadata": {}}


@pytest.fixture
def run(site: Site) -> Run:
    """A session in which four controls were used."""
    adams: User = person("adams")
    uses = [
        entry(DAYS, value=8),
        entry(WARD, at_s=1_772_445_612.0, index=1),
        entry(NOTE, at_s=1_772_445_655.0, value="Ruth Hall, bed 4: " + "long " * 60),
        entry(PASSWORD, at_s=1_772_445_661.0, value="CANARY"),
    ]
    changes = [
        *(kept(0, opened(each)) for each in (DAYS, WARD, NOTE, PASSWORD)),
        *(shown(0, "append", output=view(each)) for each in (DAYS, WARD, NOTE)),
        shown(0, "append", cell=1, output=says("3 stays in A1")),
        kept(1, changed(DAYS, value=8)),
        shown(1, "clear", cell=1),
        shown(1, "append", cell=1, output=says("8 stays in A1")),
        kept(2, changed(WARD, index=1)),
        shown(2, "clear", cell=1),
        shown(2, "append", cell=1, output=says("21 stays in B2")),
    ]
    version = approved("IntSlider(description='Days')", "print(read(days))")
    return recorded_run(version, adams, *uses, changes=changes)


def expect_step(page: Page, words: str, shows: str) -> None:
    frame = page.frame_locator("iframe.result-frame")
    expect(frame.get_by_text(words)).to_be_visible()
    expect(frame.get_by_text(shows)).to_be_visible()


@pytest.mark.parametrize("has_scripts", [True, False])
def test_from_the_result_through_the_list_to_each_step(
    run: Run, open_as: Open, has_scripts: bool
) -> None:
    page = open_as("adams", java_script_enabled=has_scripts)
    page.goto(f"/runs/{run.pk}/")
    page.get_by_role("link", name="What was done").click()
    expect(page.get_by_text("Set to 8")).to_be_visible()
    expect(page.get_by_text("Chose B2")).to_be_visible()
    page.get_by_role("link", name="Replay it step by step").click()
    expect_step(page, "Step 0 of 4.", "3 stays in A1")
    page.get_by_role("link", name="Next").press("Enter")
    expect_step(page, "Step 1 of 4.", "8 stays in A1")
    page.get_by_label("Step", exact=True).fill("3")
    page.get_by_label("Step", exact=True).press("Enter")
    expect_step(page, "Step 3 of 4.", "21 stays in B2")
    page.get_by_role("link", name="Previous").press("Enter")
    expect_step(page, "Step 2 of 4.", "Chose B2")
    expect(page.get_by_role("link", name="Next")).to_be_visible()


def test_the_keyboard_goes_on_where_the_steps_are(run: Run, open_as: Open) -> None:
    page = open_as("adams")
    page.goto(f"/runs/{run.pk}/replay/")
    page.get_by_role("link", name="Next").press("Enter")
    expect_step(page, "Step 1 of 4.", "8 stays in A1")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Previous")).to_be_focused()


@pytest.mark.security
def test_an_auditor_comes_from_the_log_and_sees_no_value(
    run: Run, open_as: Open
) -> None:
    page = open_as("iris")
    page.goto("/audit/")
    page.locator("summary", has_text="Event").first.click()
    page.goto(f"/runs/{run.pk}/record/")
    expect(page.get_by_text("You see which controls were used")).to_be_visible()
    expect(page.get_by_text("Days")).to_be_visible()
    expect(page.get_by_text("Hall")).to_have_count(0)
    expect(page.get_by_role("link", name="Replay")).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("path", ["record/", "replay/?step=2"])
def test_both_pages_are_readable_for_everybody(
    run: Run, open_as: Open, path: str, width: int
) -> None:
    page = open_as("adams", viewport={"width": width, "height": 900})
    page.goto(f"/runs/{run.pk}/{path}")
    assert serious_findings(page) == []
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
