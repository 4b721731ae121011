"""A result in the product: the run's page, its frame, and what the log says of it."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from config.demo.people import PASSWORD
from runner.results import links
from tests.runner.results.finished import events, finished_run
from tests.runner.results.hostile import payloads
from tests.runner.results.loopback import loopback
from tests.runner.results.notebooks import code, markdown, notebook, stream
from tests.support.fixtures import Site

pytestmark = [pytest.mark.browser, pytest.mark.security]


def sign_in(page: Page, username: str) -> None:
    page.goto("/sign-in/")
    page.get_by_label("Name").first.fill(username)
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("body[data-person]")).to_have_attribute("data-person", username)


def test_a_run_page_frames_its_result_and_each_load_is_a_look(page: Page, adams):
    executed = notebook(markdown("# Trends"), code(stream("31 prescriptions")))
    run = finished_run(adams, executed, now=timezone.now())
    sign_in(page, "adams")
    for looks in (1, 2):
        page.goto(run.get_absolute_url())
        frame = page.frame_locator("iframe.result-frame")
        expect(frame.get_by_text("31 prescriptions")).to_be_visible()
        assert len(events("result.viewed")) == looks


@pytest.mark.parametrize("chosen", ["dark", "light"])
def test_the_frame_follows_the_theme_that_its_reader_chose(page: Page, adams, chosen):
    run = finished_run(adams, now=timezone.now())
    sign_in(page, "adams")
    page.emulate_media(color_scheme="light" if chosen == "dark" else "dark")
    page.evaluate(f"localStorage.setItem('countersign:theme', '{chosen}')")
    page.goto(run.get_absolute_url())
    root = page.frame_locator("iframe.result-frame").locator("html")
    expect(root).to_have_css("color-scheme", chosen)
    page.locator("html").evaluate("e => { e.dataset.bsTheme = 'light' }")
    expect(root).to_have_css("color-scheme", "light")
    assert len(events("result.viewed")) == 1


def test_a_link_opened_by_itself_is_refused(page: Page, site: Site, adams):
    run = finished_run(adams, now=timezone.now())
    link = links.make_link(run, by=adams, now=timezone.now())
    path = re.sub(r"^https?://[^/]+", "", link)
    answer = page.goto(f"{site.content_url}{path}")
    assert answer is not None
    assert answer.status == 403
    expect(page.get_by_text("Results open inside Countersign only.")).to_be_visible()
    assert events("result.viewed") == []
    assert path.split("/")[2] not in site.process.said()
    assert page.context.cookies(site.content_url) == []


def test_hostile_results_reach_nobody_from_the_run_page(page: Page, adams):
    with loopback() as evil:
        cells = [
            cell for each in payloads(evil.origin()).values() for cell in each["cells"]
        ]
        run = finished_run(adams, notebook(*cells), now=timezone.now())
        sign_in(page, "adams")
        page.goto(run.get_absolute_url())
        frame = page.frame_locator("iframe.result-frame")
        expect(frame.locator(".cs-result")).to_be_visible()
        page.wait_for_timeout(1500)
        assert evil.hits == []


def test_the_pages_own_policy_keeps_a_frame_from_leading_elsewhere(page: Page, adams):
    """What a result could do at worst is to take its frame elsewhere; here it cannot."""
    sign_in(page, "adams")
    with loopback() as evil:
        page.evaluate(
            "address => { const f = document.createElement('iframe');"
            " f.src = address; document.body.append(f); }",
            evil.origin(),
        )
        page.wait_for_timeout(700)
        assert evil.hits == []


def test_the_content_host_shows_no_page_of_the_application(page: Page, site: Site):
    answer = page.goto(f"{site.content_url}/sign-in/")
    assert answer is not None
    assert answer.status == 404
