"""A notebook in its author's grid, from the live page to what it leaves: everything real."""

import re
from collections.abc import Iterator

import pytest
from django.utils import timezone
from playwright.sync_api import FrameLocator, Locator, Page, expect

from config.demo.loading import NOTEBOOKS
from gallery.models import Version
from gallery.workflow import Status
from runner.models import Run
from tests.browser.conftest import Open
from tests.factories.gallery import make_version
from tests.runner.results.boxes import rectangle
from tests.support.processes import Process

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("kernel_host", "data_cluster", "celery_worker"),
]

DEMO = "length-of-stay-live.ipynb"
FIRST_MS = 60_000
COUNT = re.compile(r"diagnoses of patients that you may see")


@pytest.fixture(autouse=True)
def _free_workers(celery_worker: Process) -> Iterator[None]:
    """End what a test left open, so that the next one finds the worker free."""
    yield
    Run.objects.filter(finished_at=None).update(cancel_requested_at=timezone.now())


@pytest.fixture
def version() -> Version:
    """The demo's live notebook, which has a grid, reviewed and signed."""
    data = (NOTEBOOKS / DEMO).read_bytes()
    return make_version(Status.APPROVED, data=data, title="Length of stay")


def open_live(page: Page, version: Version) -> FrameLocator:
    """Open the live page with the values that are offered; return its frame."""
    page.goto(f"{version.notebook.get_absolute_url()}run/")
    page.get_by_role("button", name="Open the live page").click()
    page.wait_for_url("**/runs/**")
    return page.frame_locator("iframe.session-frame")


def check_places(frame: FrameLocator, chart: Locator, width: int) -> None:
    """Words above, controls and counts on the left, the chart on the right; or all in one column."""
    words = rectangle(frame.get_by_role("heading", name="Length of stay, live"))
    control = rectangle(frame.get_by_text("Up to days"))
    count, picture = rectangle(frame.get_by_text(COUNT)), rectangle(chart)
    assert words["y"] + words["height"] <= control["y"] < count["y"]
    if width > 640:
        assert picture["x"] > count["x"] + count["width"] - 1
        assert picture["y"] < control["y"]
    else:
        assert control["y"] < picture["y"] < count["y"]
        assert picture["x"] + picture["width"] <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_demos_grid_stands_on_the_live_page_and_in_its_result(
    open_as: Open, version: Version, scheme: str, width: int
) -> None:
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    page = open_as("adams", **options)
    frame = open_live(page, version)
    chart = frame.locator("img").first
    expect(chart).to_be_visible(timeout=FIRST_MS)
    expect(frame.get_by_text("Ready")).to_be_visible(timeout=FIRST_MS)
    expect(frame.locator(".cs-unshown")).to_have_count(4)
    for hidden in frame.locator(".cs-unshown").all():
        expect(hidden).to_be_hidden()
    check_places(frame, chart, width)
    frame.get_by_role("slider").press("ArrowRight")
    expect(frame.get_by_text("35", exact=True)).to_be_visible()
    page.get_by_role("button", name="End the live page").click()
    expect(page.get_by_text("The live page has ended.")).to_be_visible(timeout=FIRST_MS)
    result = page.frame_locator("iframe.result-frame")
    left = result.locator("img").first
    expect(left).to_be_visible()
    check_places(result, left, width)
    expect(result.get_by_text("Up to days 35")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width
