"""The whole promise in a browser: upload, preview, review, sign-off, launch, audit."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import FrameLocator, Page, expect

from config.demo.hospital.build import people
from runner import sweep
from runner.access.identities import sync_identities
from tests.browser.conftest import Open
from tests.pages import PASSWORD
from tests.support.data import DataCluster
from tests.support.fixtures import Site
from tests.support.processes import Process

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("kernel_host", "data_cluster"),
]
REPOSITORY = Path(__file__).parents[2]
NOTEBOOK = REPOSITORY / "config" / "demo" / "notebooks" / "prescription-trends.ipynb"
IMAGES = REPOSITORY / "docs" / "images"
PAGE = "/notebooks/prescription-trends/"
V1 = f"{PAGE}versions/1/"
RUN_MS = 90_000


def picture(page: Page, name: str) -> None:
    """Keep a screenshot for the documentation, when asked to."""
    if os.environ.get("UPDATE_SCREENSHOTS") == "1":
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(800)  # the fonts inside the result's frame
        page.screenshot(path=IMAGES / f"{name}.png")


def result(page: Page) -> FrameLocator:
    """Wait for the run's end and return the frame with its result."""
    expect(page.locator("iframe.result-frame")).to_be_visible(timeout=RUN_MS)
    return page.frame_locator("iframe.result-frame")


def decide(page: Page, choice: str, button: str, comment: str = "") -> None:
    box = page.locator("#decision")
    box.get_by_label(choice).check()
    box.get_by_label("Comment").fill(comment)
    box.get_by_label("Your password, again").fill(PASSWORD)
    box.get_by_role("button", name=button).click()
    expect(page.get_by_role("status")).to_contain_text("Signed.")


def submit(ada: Page) -> None:
    """Upload, look it through, preview as a doctor, submit."""
    ada.goto("/notebooks/new/")
    ada.get_by_label("Notebook file").set_input_files(NOTEBOOK)
    ada.get_by_label("Title").fill("Prescription trends")
    ada.get_by_label("What it is for").fill("How often a drug was prescribed.")
    picture(ada, "upload")
    ada.get_by_role("button", name="Upload").click()
    ada.wait_for_url(f"**{V1}")
    picture(ada, "version")
    ada.get_by_role("link", name="Preview on invented data").click()
    ada.get_by_label("Acting as").select_option("doctor")
    ada.get_by_role("button", name="Run the preview").click()
    result(ada)
    expect(ada.get_by_text("invented data that follow the same rules")).to_be_visible()
    ada.goto(V1)
    ada.get_by_role("button", name="Submit for review").click()
    expect(ada.get_by_role("status")).to_contain_text("Submitted.")


def sign(open_as: Open) -> None:
    """Two peers approve, then compliance signs."""
    for peer in ("ravi", "petra"):
        page = open_as(peer)
        page.get_by_role("link", name="Waiting for me").click()
        page.get_by_role("link", name="Prescription trends").click()
        picture(page, "review")
        decide(page, "Approve", "Sign the review", "Reads what it says.")
    carol = open_as("carol")
    carol.goto("/reviews/")
    carol.get_by_role("link", name="Prescription trends").click()
    picture(carol, "sign-off")
    decide(carol, "Sign off", "Sign")
    expect(carol.get_by_text("Signed off for compliance: Carol Jensen")).to_be_visible()


def launch(page: Page, name: str) -> FrameLocator:
    """Find it in the catalog, run it, and return what is shown."""
    page.goto("/")
    page.get_by_role("link", name="Prescription trends", exact=True).click()
    if name == "adams":
        picture(page, "notebook")
    page.get_by_role("button", name="Run", exact=True).click()
    shown = result(page)
    picture(page, f"result-{name}")
    return shown


@pytest.fixture
def _identities(data_cluster: DataCluster) -> Iterator[None]:
    """Give the data source its own people back after the sweep has replaced them."""
    yield
    for dsns in data_cluster.dsns.values():
        sync_identities(dsns, people())


@pytest.mark.usefixtures("_identities")
def test_the_whole_promise(open_as: Open, celery_worker: Process, site: Site) -> None:
    ada = open_as("ada")
    for username in ("adams", "baker"):
        open_as(username)
    sweep.sweep_identities(sources=settings.DATA_SOURCES.values())
    submit(ada)
    sign(open_as)

    adams, baker = open_as("adams"), open_as("baker")
    cardiology = launch(adams, "adams").locator("body").inner_text()
    oncology = launch(baker, "baker").locator("body").inner_text()
    expect(adams.get_by_text("only the rows that you may see")).to_be_visible()
    assert cardiology != oncology

    nora = open_as("nora")
    assert nora.goto(PAGE).status == 404, site.process.said()[-4000:]

    iris = open_as("iris")
    iris.goto("/audit/")
    expect(iris.locator(".timeline")).to_contain_text("Carol Jensen signed")
    picture(iris, "audit")
    iris.goto("/audit/verify/")
    expect(iris.locator("main")).to_contain_text("unbroken")
