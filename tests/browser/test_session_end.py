"""An unattended page: it says that its session ends, then hides what it showed."""

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from accounts.models import Session
from runner.models import Run
from tests.browser.axe import serious_findings
from tests.browser.conftest import Open, let_idle, sign_in
from tests.factories.gallery import person

SOON = "You will be signed out soon"
IDLE_S = settings.SESSION_IDLE_S


def wait(page: Page, seconds: int, *, username: str = "ada") -> None:
    """Let time pass in which nothing happens, for the page and for the server."""
    let_idle(username, seconds)
    page.clock.fast_forward(seconds * 1000)


@pytest.fixture
def page(open_as: Open) -> Page:
    """The page for an upload, as ada opened it, under a clock that tests may turn."""
    page = open_as("ada")
    page.clock.install()
    page.goto("/notebooks/new/")
    return page


def test_two_minutes_before_the_end_the_page_says_so_once(page: Page) -> None:
    said = page.get_by_role("alert").filter(has_text=SOON)
    wait(page, IDLE_S - 180)
    page.clock.run_for(5_000)
    expect(page.locator("[data-session-end]")).not_to_have_class("is-shown")
    page.evaluate(
        "window.told = 0; new MutationObserver(() => window.told++).observe("
        "document.querySelector('[data-session-said]'), {childList: true})"
    )
    wait(page, 70)
    page.clock.run_for(2_000)
    expect(said).to_be_visible()
    expect(page.get_by_role("timer")).to_contain_text("1:")
    page.clock.run_for(30_000)
    assert page.evaluate("window.told") == 1
    assert serious_findings(page) == []
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_one_button_keeps_the_person_signed_in_and_what_was_typed(page: Page) -> None:
    page.get_by_label("Title").fill("Half a title")
    wait(page, IDLE_S - 100)
    page.clock.run_for(2_000)
    page.get_by_role("button", name="Stay signed in").click()
    expect(page.get_by_role("button", name="Stay signed in")).to_be_hidden()
    expect(page.get_by_label("Title")).to_be_focused()
    expect(page.get_by_label("Title")).to_have_value("Half a title")
    wait(page, 300)
    page.clock.run_for(2_000)
    expect(page.get_by_label("Title")).to_be_visible()
    assert page.request.get("/session/left/").json()["seconds_left"] > 500


def test_an_unattended_result_is_hidden_and_signing_in_returns_to_it(
    open_as: Open, finished: Run
) -> None:
    page = open_as("adams")
    page.clock.install()
    page.goto(finished.get_absolute_url())
    shown = page.frame_locator("iframe.result-frame").get_by_text(
        "Twelve prescriptions"
    )
    expect(shown).to_be_visible()
    wait(page, IDLE_S + 5, username="adams")
    page.clock.run_for(1_500)
    page.wait_for_url("**/sign-in/**")
    expect(page.get_by_text("nothing happened for a while")).to_be_visible()
    assert not Session.objects.filter(person=person("adams")).exists()
    sign_in(page, "adams")
    page.wait_for_url(f"**{finished.get_absolute_url()}")
    expect(shown).to_be_visible()


def test_what_was_typed_is_back_after_signing_in_again(page: Page) -> None:
    page.get_by_label("Title").fill("Half a title")
    wait(page, IDLE_S + 5)
    page.clock.run_for(1_500)
    page.wait_for_url("**/sign-in/**")
    sign_in(page, "ada")
    page.wait_for_url("**/notebooks/new/")
    expect(page.get_by_label("Title")).to_have_value("Half a title")


@pytest.mark.parametrize("passed_s", [IDLE_S - 60, IDLE_S + 60])
def test_activity_in_another_tab_counts_for_this_one(page: Page, passed_s: int) -> None:
    """The server is asked first: at the warning, and again at the end."""
    let_idle("ada", 60)
    page.context.new_page().goto("/runs/")
    page.clock.fast_forward(passed_s * 1000)
    page.clock.run_for(3_000)
    expect(page.get_by_label("Title")).to_be_visible()
    expect(page.get_by_text(SOON)).to_have_count(0)
    assert "/notebooks/new/" in page.url


def test_the_notice_goes_when_another_tab_is_used(page: Page) -> None:
    wait(page, IDLE_S - 100)
    page.clock.run_for(2_000)
    expect(page.get_by_text(SOON)).to_be_visible()
    page.context.new_page().goto("/runs/")
    page.clock.run_for(15_000)
    expect(page.get_by_text(SOON)).to_have_count(0)


def test_the_absolute_end_is_told_without_a_button(page: Page) -> None:
    left = {"person": "ada", "seconds_left": 90, "limit": "absolute"}
    page.route("**/session/left/", lambda route: route.fulfill(json=left))
    page.clock.fast_forward((IDLE_S - 100) * 1000)
    page.clock.run_for(2_000)
    expect(page.get_by_text("This session ends soon")).to_be_visible()
    expect(page.get_by_role("timer")).to_contain_text("1:2")
    expect(page.get_by_role("button", name="Stay signed in")).to_be_hidden()


def test_signing_out_in_another_tab_closes_this_one_when_looked_at(
    page: Page,
) -> None:
    other = page.context.new_page()
    other.goto("/runs/")
    other.locator("details.menu > summary").click()
    other.get_by_role("button", name="Sign out").click()
    other.wait_for_url("**/sign-in/**")
    look_again(page)
    page.wait_for_url("**/sign-in/**")
    expect(page.get_by_text("nothing happened")).to_have_count(0)


def test_another_person_in_this_browser_does_not_see_this_page(
    page: Page, finished: Run
) -> None:
    page.goto("/profile/")
    other = page.context.new_page()
    other.goto("/runs/")
    other.locator("details.menu > summary").click()
    other.get_by_role("button", name="Sign out").click()
    sign_in(other, "adams")
    look_again(page)
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Ada Lovelace")
    expect(page.locator("body")).to_have_attribute("data-person", "adams")


def test_a_page_past_its_time_is_hidden_while_the_server_cannot_be_asked(
    page: Page,
) -> None:
    page.route("**/session/left/", lambda route: route.abort())
    page.clock.fast_forward((IDLE_S + 5) * 1000)
    page.clock.run_for(3_000)
    expect(page.get_by_role("heading", name="This page is closed")).to_be_visible()
    expect(page.get_by_label("Title")).to_be_hidden()
    page.unroute("**/session/left/")
    page.clock.run_for(3_000)
    expect(page.get_by_label("Title")).to_be_visible()


def test_a_refused_stay_says_what_to_do(page: Page) -> None:
    wait(page, IDLE_S - 100)
    page.clock.run_for(2_000)
    page.context.clear_cookies(name="csrftoken")
    page.get_by_role("button", name="Stay signed in").click()
    expect(page.get_by_text("Reload this page to stay signed in")).to_be_visible()


def look_again(page: Page) -> None:
    """Come back to this tab, as the browser tells the page."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
