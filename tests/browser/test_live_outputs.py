"""Outputs beside a running notebook: they come, they stay, the result takes their place."""

import pytest
from playwright.sync_api import Page, expect

from gallery.models import Version
from runner.models import Run
from runner.workflow import Status
from tests.browser.axe import serious_findings
from tests.browser.conftest import Open
from tests.factories.gallery import person
from tests.factories.runs import make_run
from tests.runner.launching import approved as approved_code
from tests.runner.launching import launch
from tests.support.processes import Process

RUN_MS = 90_000
SLOW = (
    "import time\n"
    "print('Reading the wards', flush=True)\n"
    "time.sleep(12)\n"
    "print('31 prescriptions')\n"
)


@pytest.mark.slow
@pytest.mark.usefixtures("kernel_host", "data_cluster")
def test_a_slow_notebook_shows_its_first_output_before_its_end(
    open_as: Open, celery_worker: Process
) -> None:
    page = open_as("adams")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    run = launch(approved_code(SLOW), person("adams"))
    page.goto(run.get_absolute_url())
    page.evaluate("window.stayed = true")
    box = page.locator(".live-box")
    place = box.bounding_box()
    live = page.frame_locator("iframe.live-frame")
    expect(live.get_by_text("What the notebook shows appears here")).to_be_visible()
    expect(live.get_by_text("Reading the wards")).to_be_visible(timeout=RUN_MS)
    assert not Run.objects.get(pk=run.pk).is_final
    expect(live.get_by_text("What the notebook shows appears here")).to_be_hidden()
    expect(page.get_by_text("only the rows that you may see")).to_be_visible()
    assert box.bounding_box() == place
    result = page.frame_locator("iframe.result-frame")
    expect(result.get_by_text("31 prescriptions")).to_be_visible(timeout=RUN_MS)
    expect(result.get_by_text("Reading the wards")).to_be_visible()
    expect(page.locator("#live-outputs")).to_have_count(0)
    assert page.evaluate("window.stayed")  # without a reload
    assert said == []


@pytest.fixture
def under_way(approved: Version) -> Run:
    return make_run(approved, person("adams"), Status.RUNNING)


def test_the_frame_survives_that_the_rail_changes(open_as: Open, under_way) -> None:
    page = open_as("adams")
    page.goto(under_way.get_absolute_url())
    live = page.frame_locator("iframe.live-frame")
    expect(live.get_by_text("appears here as it comes")).to_be_visible()
    with page.expect_response("**/progress/"):
        page.evaluate("htmx.trigger('[data-run-events]', 'progress')")
    expect(live.get_by_text("appears here as it comes")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_everybody_can_use_the_page(
    open_as: Open, under_way: Run, scheme: str, width: int
) -> None:
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    page = open_as("adams", **options)
    page.goto(under_way.get_absolute_url())
    expect(_words(page)).to_be_visible()
    assert serious_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


def _words(page: Page):
    return page.frame_locator("iframe.live-frame").get_by_text(
        "appears here as it comes"
    )


def test_the_frame_opens_in_the_theme_that_its_reader_chose(
    open_as: Open, under_way: Run
) -> None:
    page = open_as("adams", color_scheme="light")
    page.evaluate("localStorage.setItem('countersign:theme', 'dark')")
    page.goto(under_way.get_absolute_url())
    expect(_words(page)).to_be_visible()
    root = page.frame_locator("iframe.live-frame").locator("html")
    expect(root).to_have_css("color-scheme", "dark")


def test_outputs_come_without_javascript(open_as: Open, under_way: Run) -> None:
    page = open_as("adams", java_script_enabled=False)
    page.goto(under_way.get_absolute_url(), wait_until="commit")
    expect(_words(page)).to_be_visible()
