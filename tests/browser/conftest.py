"""Browsers in which somebody is signed in, on a site with notebooks in every state."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from accounts import sessions
from accounts.models import Session
from accounts.sessions import SessionStore
from gallery.models import Version
from gallery.workflow import Status
from runner.models import Run
from tests.factories.gallery import make_version, person
from tests.factories.runs import make_run
from tests.pages import PASSWORD
from tests.support.fixtures import Site

Open = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here, so that `-m "not browser"` leaves it out."""
    for item in items:
        if "tests/browser" in item.nodeid:
            item.add_marker(pytest.mark.browser)


@pytest.fixture
def open_as(
    _chromium: Browser, site: Site, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Open]:
    """Return `open_as(username, **context options)`: a page with that person signed in."""
    # Playwright keeps an event loop in this thread, which Django takes for an async view.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    contexts = []

    def open_page(username: str, **options: Any) -> Page:
        options.setdefault("viewport", {"width": 1280, "height": 900})
        context = _chromium.new_context(base_url=site.url, **options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        person(username)
        sign_in(page, username)
        return page

    yield open_page
    for context in contexts:
        context.close()


def sign_in(page: Page, username: str) -> None:
    """Sign in by the form, from wherever the page is now."""
    if "/sign-in/" not in page.url:
        page.goto("/sign-in/")
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)


def let_idle(username: str, seconds: float) -> None:
    """Let the person's session have had no activity for `seconds` more."""
    row = Session.objects.get(person=person(username))
    store = SessionStore(row.session_key)
    store[sessions.LAST_ACTIVE_AT] -= seconds
    store.save()


@pytest.fixture
def approved(site: Site) -> Version:
    """An approved version by ada."""
    return make_version(Status.APPROVED)


@pytest.fixture
def in_review(site: Site) -> Version:
    """A version by ada that peers read."""
    return make_version(Status.IN_REVIEW, title="Lab turnaround")


@pytest.fixture
def finished(approved: Version) -> Run:
    """A finished run of adams."""
    return make_run(approved, person("adams"), "succeeded")
