"""What the two everyday paths cost in clicks, and that the keyboard alone walks them.

Sign-in page to own result, with a real worker and kernel: at most four.  Catalog to
submitted version, choosing the file included: at most five.
"""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from gallery.workflow import Status
from tests.browser.conftest import Open
from tests.browser.hands import Keys, Mouse
from tests.factories.gallery import ipynb, make_version, person
from tests.pages import PASSWORD
from tests.runner.launching import COUNT_PATIENTS
from tests.support.processes import Process

RESULT_CLICKS = 4
SUBMIT_CLICKS = 5
RUN_MS = 90_000
TITLE = "Prescription trends"


@pytest.fixture(autouse=True)
def _sync_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Playwright keeps an event loop in this thread, which Django takes for a view."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def _runnable(
    celery_worker: Process, kernel_host: Process, data_cluster: object
) -> None:
    """An approved notebook that adams may run, and everything that runs it."""
    person("adams")
    make_version(Status.APPROVED, title=TITLE, data=ipynb(COUNT_PATIENTS))


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A notebook on somebody's disk, whose heading is `TITLE`."""
    path = tmp_path / "trends.ipynb"
    path.write_bytes(ipynb())
    return str(path)


def see_result(page: Page) -> None:
    """Wait for the finished result of adams, and see whose rights it shows."""
    frame = page.locator("iframe.result-frame")
    expect(frame).to_be_visible(timeout=RUN_MS)
    shown = page.frame_locator("iframe.result-frame").locator("body")
    expect(shown).to_have_text(re.compile(r"\d+"))
    expect(page.get_by_text("Dr Ruth Adams").first).to_be_visible()


def see_submitted(page: Page) -> None:
    page.get_by_text("Submitted. The peer reviewers").wait_for()
    expect(page.get_by_role("link", name=TITLE).first).to_be_visible()


@pytest.mark.slow
@pytest.mark.usefixtures("_runnable")
def test_an_own_result_is_four_clicks_from_signing_in(page: Page) -> None:
    mouse = Mouse(page)
    page.goto("/sign-in/")
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type("adams")
    mouse.click(page.get_by_label("Password"))
    page.keyboard.type(PASSWORD)
    mouse.click(page.get_by_role("button", name="Sign in"))
    mouse.click(page.get_by_role("link", name=TITLE))
    mouse.click(page.get_by_role("button", name="Run", exact=True))
    see_result(page)
    assert mouse.acts <= RESULT_CLICKS


@pytest.mark.slow
@pytest.mark.usefixtures("_runnable")
def test_the_keyboard_alone_leads_from_signing_in_to_an_own_result(
    page: Page,
) -> None:
    keys = Keys(page)
    page.goto("/sign-in/")
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type("adams")
    keys.reach(page.get_by_label("Password"))
    page.keyboard.type(PASSWORD)
    keys.press("Enter")
    page.wait_for_url(lambda url: "/sign-in/" not in url)
    keys.reach(page.get_by_role("link", name=TITLE))
    keys.press("Enter")
    page.wait_for_url("**/notebooks/**")
    keys.reach(page.get_by_role("button", name="Run", exact=True))
    keys.press("Enter")
    see_result(page)
    keys.reach(page.get_by_text("Download", exact=True))
    assert keys.acts <= RESULT_CLICKS


def test_an_upload_is_submitted_within_five_clicks(open_as: Open, file: str) -> None:
    page = open_as("ada")
    mouse = Mouse(page)
    mouse.click(page.get_by_role("link", name="Upload a notebook").first)
    mouse.choose(page.get_by_label("Notebook file"), file)
    expect(page.get_by_label("Title")).to_have_value(TITLE)
    mouse.click(page.get_by_role("button", name="Upload"))
    mouse.click(page.get_by_role("button", name="Submit for review"))
    see_submitted(page)
    assert mouse.acts <= SUBMIT_CLICKS


def test_the_keyboard_alone_uploads_and_submits(open_as: Open, file: str) -> None:
    page = open_as("ada")
    keys = Keys(page)
    keys.reach(page.get_by_role("link", name="Upload a notebook").first)
    keys.press("Enter")
    keys.choose(page.get_by_label("Notebook file"), file)
    expect(page.get_by_label("Title")).to_have_value(TITLE)
    keys.reach(page.get_by_role("button", name="Upload"))
    keys.press("Space")
    keys.reach(page.get_by_role("button", name="Submit for review"))
    keys.press("Enter")
    see_submitted(page)
    assert keys.acts <= SUBMIT_CLICKS


def test_a_title_that_was_typed_is_not_replaced(open_as: Open, file: str) -> None:
    page = open_as("ada")
    page.goto("/notebooks/new/")
    page.get_by_label("Title").fill("My own words")
    page.get_by_label("Notebook file").set_input_files(file)
    expect(page.locator("[data-drop-name]")).to_contain_text("trends.ipynb")
    page.wait_for_timeout(300)
    expect(page.get_by_label("Title")).to_have_value("My own words")


def test_a_file_that_is_no_notebook_suggests_nothing(
    open_as: Open, tmp_path: Path
) -> None:
    page = open_as("ada")
    page.goto("/notebooks/new/")
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    for words in ("no JSON", "{}", '{"cells": [null]}'):
        (tmp_path / "odd.ipynb").write_text(words)
        page.get_by_label("Notebook file").set_input_files(tmp_path / "odd.ipynb")
        page.wait_for_timeout(200)
    expect(page.get_by_label("Title")).to_have_value("")
    assert said == []
