"""Fixtures of the slower parts: data cluster, kernel host, Celery worker, site, browser."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from config.embedded.files import free_port
from tests.support import data, environment, processes

#: The first that there is.  The shell is Chromium without its windows, and quicker to open
#: a profile.
BROWSERS = ("chromium-headless-shell", "chromium")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Seed the data cluster before the clock of the first test that needs it starts.

    Inventing two hospitals on a busy machine takes minutes, once; that is no test's
    time. What goes wrong here goes wrong again in the fixture, which says so.
    """
    if "data_cluster" in getattr(item, "fixturenames", ()):
        with suppress(Exception):
            data.start()
    yield


@pytest.fixture(scope="session")
def data_cluster() -> data.DataCluster:
    """The demo hospital and its notional twin, seeded once and kept between sessions."""
    return data.start()


@pytest.fixture(scope="session")
def kernel_host() -> Iterator[processes.Process]:
    """The kernel host of this test worker, at settings.KERNEL_HOST_SOCKET."""
    process = processes.kernel_host()
    socket = environment.home() / environment.worker() / "kernels.sock"
    process.start(socket.exists)
    yield process
    process.stop()


@pytest.fixture(scope="session")
def _celery_process() -> Iterator[processes.Process]:
    process = processes.celery_worker()
    yield process
    process.stop()


@pytest.fixture
def celery_worker(
    committed_db: None, _celery_process: processes.Process
) -> Iterator[processes.Process]:
    """A real Celery worker on this test's database; started again when a test killed it."""
    process = _celery_process
    if not hasattr(process, "popen") or not process.is_alive():
        already = process.said().count(" ready.")
        process.start(lambda: process.said().count(" ready.") > already)
    yield process
    # A worker that outlives its test would take the runs of the next one.
    process.stop()


@dataclass(frozen=True)
class Site:
    """A running web server."""

    port: int
    process: processes.Process

    @property
    def url(self) -> str:
        """The application's origin."""
        return f"http://localhost:{self.port}"

    @property
    def content_url(self) -> str:
        """The content origin."""
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="session")
def _site_process(django_db_setup: None) -> Iterator[Site]:
    port = free_port()
    process = processes.site(port)
    process.start(lambda: _answers(port))
    yield Site(port, process)
    process.stop()


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://localhost:{port}/healthz", timeout=5).is_success
    except httpx.TransportError:
        return False


@pytest.fixture
def site(committed_db: None, _site_process: Site) -> Site:
    """A web server on this test's database, as browsers and scripts see it."""
    return _site_process


@pytest.fixture(scope="session")
def _chromium() -> Iterator[Browser]:
    """The system's Chromium; where tests count, a missing one is a failure."""
    binary = next(filter(None, map(shutil.which, BROWSERS)), None)
    if binary is None:
        pytest.skip(f"no Chromium on this machine: apt-get install {BROWSERS[0]}")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright's event loop runs in this thread, and Django takes that for an
        # async view; tests without a browser do not see the loop (`event_loops`).
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        running = asyncio._get_running_loop()
        browser = playwright.chromium.launch(
            executable_path=binary, args=CHROMIUM_ARGUMENTS
        )
        yield browser
        asyncio._set_running_loop(running)
        browser.close()


@pytest.fixture
def browser_context(_chromium: Browser, site: Site) -> Iterator[BrowserContext]:
    """A fresh browser profile on the site."""
    context = _chromium.new_context(
        base_url=site.url, viewport={"width": 1280, "height": 900}
    )
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(browser_context: BrowserContext) -> Page:
    """A page in a fresh browser profile; `page.goto("/")` is the site's front page."""
    return browser_context.new_page()
