"""A live page, from the button to what it leaves: everything real, up to the database's rows."""

import re
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import FrameLocator, Page, expect

from accounts.models import Session
from gallery.findings.widgets import CODE
from gallery.models import Version
from runner import sweep
from runner.models import Run
from tests.browser.axe import serious_findings
from tests.browser.conftest import Open
from tests.factories.gallery import person
from tests.runner.kernelhost.test_live import WIDGETS
from tests.runner.kernelhost.test_live_forms import BLOCKED
from tests.runner.launching import COUNT_PATIENTS
from tests.runner.launching import approved as approved_code
from tests.support.fixtures import Site, _answers
from tests.support.processes import Process

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("kernel_host", "data_cluster", "celery_worker"),
]

FIRST_MS = 60_000
SECONDS_5 = 5_000
ROWS = COUNT_PATIENTS.replace("print(", "print('rows', ")
FINDING = {"code": CODE, "severity": "info", "message": "", "cell": None, "line": None}


def widgets(*sources: str, **fields: str) -> Version:
    """An approved version that is opened as a live page."""
    return approved_code(*sources, findings=[FINDING], **fields)


@pytest.fixture(autouse=True)
def _free_workers(celery_worker: Process) -> Iterator[None]:
    """End what a test left open, so that the next one finds the worker free."""
    yield
    Run.objects.filter(finished_at=None).update(cancel_requested_at=timezone.now())


def open_live(page: Page, version: Version) -> FrameLocator:
    """Press the button on the notebook's page; return the frame."""
    page.goto(version.notebook.get_absolute_url())
    page.get_by_role("button", name="Open the live page").click()
    page.wait_for_url("**/runs/**")
    return page.frame_locator("iframe.session-frame")


def slider(frame: FrameLocator) -> object:
    """The handle of the first slider."""
    return frame.get_by_role("slider").first


def move(frame: FrameLocator, times: int = 1) -> None:
    """Move the slider up by the keyboard."""
    for _ in range(times):
        slider(frame).press("ArrowRight")


def test_from_the_button_to_what_is_left(open_as: Open) -> None:
    page = open_as("adams")
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    frame = open_live(page, widgets(WIDGETS, "print('last cell')"))
    expect(frame.get_by_text("last cell")).to_be_visible(timeout=FIRST_MS)
    expect(slider(frame)).to_be_visible()
    expect(page.get_by_text("only the rows that you may see")).to_be_visible()
    move(frame, 4)
    expect(frame.get_by_text("at 7")).to_be_visible()
    assert said == []
    page.reload()
    frame = page.frame_locator("iframe.session-frame")
    expect(frame.get_by_text("at 7")).to_be_visible(timeout=FIRST_MS)
    expect(frame.get_by_text("last cell")).to_have_count(1)
    move(frame)
    expect(frame.get_by_text("at 8")).to_be_visible()
    assert Run.objects.count() == 1
    page.get_by_role("button", name="End the live page").click()
    expect(page.get_by_text("The live page has ended.")).to_be_visible(timeout=FIRST_MS)
    result = page.frame_locator("iframe.result-frame")
    expect(result.get_by_text("at 8")).to_be_visible()
    expect(page.locator("iframe.session-frame")).to_have_count(0)


def test_what_was_entered_beforehand_is_where_the_controls_start(open_as: Open) -> None:
    """The form's value reaches the control, which stays one: the same code as without a page."""
    slider_of_days = 'import ipywidgets\ndays = ipywidgets.IntSlider(value=30, max=60, step=5, description="Days")'
    shows = (
        "label = ipywidgets.Label(f'at {days.value}')\n"
        "days.observe(lambda change: setattr(label, 'value', f'at {change.new}'), 'value')\n"
        "display(days, label)"
    )
    page = open_as("adams")
    version = widgets(shows, parameters=slider_of_days)
    page.goto(version.notebook.get_absolute_url())
    page.get_by_label("Days").fill("45")
    page.get_by_role("button", name="Open the live page").click()
    page.wait_for_url("**/runs/**")
    frame = page.frame_locator("iframe.session-frame")
    expect(frame.get_by_text("at 45")).to_be_visible(timeout=FIRST_MS)
    expect(slider(frame)).to_have_attribute("aria-valuenow", "45.0")
    move(frame)
    expect(frame.get_by_text("at 50")).to_be_visible()
    page.get_by_role("button", name="End the live page").click()
    result = page.frame_locator("iframe.result-frame")
    expect(result.get_by_text("at 50")).to_be_visible(timeout=FIRST_MS)


def test_the_same_button_shows_each_person_their_own_rows(open_as: Open) -> None:
    version = widgets(WIDGETS, ROWS)
    counts = set()
    for name in ("adams", "baker"):
        frame = open_live(open_as(name), version)
        shown = frame.get_by_text(re.compile(r"rows \d+")).first
        expect(shown).to_be_visible(timeout=FIRST_MS)
        counts.add(shown.inner_text())
    assert len(counts) == 2


def test_a_form_that_blocks_its_cell_is_waited_for_and_answered(open_as: Open) -> None:
    """What nbgallery's own users could not get from Voila: form, then query with their rows."""
    form = BLOCKED.replace("ipywidgets.Button()", "ipywidgets.Button(description='Go')")
    version = widgets(
        form,
        "get_ipython().run_line_magic('load_ext', 'ipython_blocking')",
        "%block button",
        ROWS,
        "print('asked by', name.value)",
        environment="python-forms",
    )
    frame = open_live(open_as("adams"), version)
    expect(frame.get_by_text("Waiting for your input")).to_be_visible(timeout=FIRST_MS)
    frame.get_by_role("textbox").fill("Ruth")
    frame.get_by_role("textbox").press("Tab")
    frame.get_by_role("button", name="Go").click()
    expect(frame.get_by_text("asked by Ruth")).to_be_visible(timeout=FIRST_MS)
    expect(frame.get_by_text(re.compile(r"rows \d+")).first).to_be_visible()
    expect(frame.get_by_text("Waiting for your input")).to_be_hidden()


def test_a_button_that_ran_the_cells_below_runs_them_again(open_as: Open) -> None:
    form = BLOCKED.replace("ipywidgets.Button()", "ipywidgets.Button(description='Go')")
    version = widgets(
        form,
        "%load_ext ipython_blocking",
        "%blockrun button",
        ROWS,
        "print('asked by', name.value)",
        environment="python-forms",
    )
    frame = open_live(open_as("adams"), version)
    expect(frame.get_by_text("Waiting for your input")).to_be_visible(timeout=FIRST_MS)
    for name in ("Ruth", "Maria"):
        frame.get_by_role("textbox").fill(name)
        frame.get_by_role("textbox").press("Tab")
        frame.get_by_role("button", name="Go").click()
        expect(frame.get_by_text(f"asked by {name}")).to_be_visible(timeout=FIRST_MS)
        expect(frame.get_by_text("asked by")).to_have_count(1)
        expect(frame.get_by_text(re.compile(r"rows \d+"))).to_have_count(1)
    expect(frame.get_by_text("Javascript")).to_have_count(0)


def test_widgets_made_of_others_while_the_page_connects_are_shown(
    open_as: Open,
) -> None:
    makes = """
import time
slider, boxes = ipywidgets.IntSlider(description="inmost"), []
for _ in range(120):
    boxes.append(ipywidgets.VBox([slider]))
    time.sleep(0.05)
display(ipywidgets.VBox(boxes[::40]))
"""
    frame = open_live(open_as("adams"), widgets("import ipywidgets", makes))
    expect(frame.get_by_text("Ready")).to_be_visible(timeout=FIRST_MS)
    expect(frame.get_by_role("slider")).to_have_count(3)


@pytest.mark.security
def test_who_signs_out_has_no_live_page_within_five_seconds(open_as: Open) -> None:
    page = open_as("adams")
    frame = open_live(page, widgets(WIDGETS))
    expect(slider(frame)).to_be_visible(timeout=FIRST_MS)
    run = Run.objects.get()
    Session.objects.filter(person=person("adams")).delete()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=SECONDS_5)
    deadline = time.monotonic() + 5
    while not Run.objects.get(pk=run.pk).is_final:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert Run.objects.get(pk=run.pk).error["code"] == "signed_out"


def test_a_kernel_that_dies_is_said_and_can_be_opened_again(open_as: Open) -> None:
    page = open_as("adams")
    fatal = "import os\nslider.observe(lambda _: os._exit(1), 'value')"
    frame = open_live(page, widgets(WIDGETS, fatal))
    expect(slider(frame)).to_be_visible(timeout=FIRST_MS)
    time.sleep(1)
    move(frame)
    expect(page.get_by_text("Stopped unexpectedly")).to_be_visible(timeout=FIRST_MS)
    page.get_by_role("button", name="Open it again").click()
    frame = page.frame_locator("iframe.session-frame")
    expect(slider(frame)).to_be_visible(timeout=FIRST_MS)


def test_a_web_process_that_is_killed_costs_no_session(
    open_as: Open, site: Site
) -> None:
    page = open_as("adams")
    frame = open_live(page, widgets(WIDGETS))
    expect(slider(frame)).to_be_visible(timeout=FIRST_MS)
    move(frame)
    expect(frame.get_by_text("at 4")).to_be_visible()
    site.process.kill()
    site.process.start(lambda: _answers(site.port))
    expect(frame.get_by_text("Ready")).to_be_visible(timeout=FIRST_MS)
    move(frame)
    expect(frame.get_by_text("at 5")).to_be_visible(timeout=FIRST_MS)
    assert Run.objects.count() == 1


def test_a_broker_that_hangs_up_costs_no_session(open_as: Open) -> None:
    page = open_as("adams")
    frame = open_live(page, widgets(WIDGETS))
    expect(slider(frame)).to_be_visible(timeout=FIRST_MS)
    hang_up_everybody()
    time.sleep(2)
    expect(frame.get_by_text("Ready")).to_be_visible(timeout=FIRST_MS)
    move(frame, 2)
    expect(frame.get_by_text("at 5")).to_be_visible(timeout=FIRST_MS)


def hang_up_everybody() -> None:
    """Cut every connection to this test's part of the broker, and take its streams away."""
    with redis.Redis.from_url(settings.BROKER_URL) as broker:
        mine = broker.client_info()
        for client in broker.client_list():
            if client["db"] == str(mine["db"]) and client["id"] != str(mine["id"]):
                broker.client_kill_filter(_id=client["id"])
        for key in broker.scan_iter("countersign:live:*"):
            broker.delete(key)


def test_a_worker_that_is_killed_is_said_to_be_lost(
    open_as: Open, celery_worker: Process
) -> None:
    page = open_as("adams")
    frame = open_live(page, widgets(WIDGETS))
    expect(slider(frame)).to_be_visible(timeout=FIRST_MS)
    celery_worker.kill()
    later = timezone.now() + timedelta(seconds=30)
    sweep.sweep_runs(now=later)
    expect(page.get_by_text("The worker that ran it vanished")).to_be_visible(
        timeout=FIRST_MS
    )
    expect(page.get_by_role("button", name="Open it again")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_everybody_can_use_the_page(open_as: Open, scheme: str, width: int) -> None:
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    page = open_as("adams", **options)
    frame = open_live(page, widgets(WIDGETS))
    expect(slider(frame)).to_be_visible(timeout=FIRST_MS)
    assert serious_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
