"""`python -m config.demo`, whole: starts, answers, keeps what it made, stops everything."""

import json
import os
import signal
import subprocess
import sys
import time

import httpx
import psutil
import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from config.embedded.files import free_port
from tests.support.environment import REPOSITORY

START_WITHIN_S = 240
STOP_WITHIN_S = 20


class RunningDemo:
    """One start of the demo, with a home and a port of its own."""

    def __init__(self, home, port):
        self.home, self.port, self.log = home, port, home.with_suffix(".log")
        inherited = {name: os.environ[name] for name in ("PATH",)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.demo"],
                cwd=REPOSITORY,
                env={**inherited, "COUNTERSIGN_HOME": str(home), "PORT": str(port)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.before = len(self.said())

    def said(self):
        return self.log.read_text() if self.log.exists() else ""

    def wait_until(self, words):
        deadline = time.monotonic() + START_WITHIN_S
        while words not in self.said()[self.before :]:
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.2)

    def family(self):
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, *signals):
        """Send the signals; returns how long it took until it was gone."""
        started = time.monotonic()
        for number in signals:
            self.process.send_signal(number)
        self.process.wait(STOP_WITHIN_S + 10)
        return time.monotonic() - started

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(STOP_WITHIN_S + 10)


@pytest.fixture
def start(tmp_path):
    running = []
    port = free_port()

    def start_one(*, until="Ready after"):
        running.append(RunningDemo(tmp_path / "home", port))
        running[-1].wait_until(until)
        return running[-1]

    yield start_one
    for demo in running:
        demo.end()


@pytest.fixture
def browser(_chromium: Browser) -> Browser:
    return _chromium


def assert_gone(family):
    _, alive = psutil.wait_procs(family, timeout=2)
    assert [(process.pid, process.cmdline()) for process in alive] == []


def assert_it_answers(demo):
    assert httpx.get(f"http://localhost:{demo.port}/healthz").is_success
    # The other host is the content origin, where no page of the application exists.
    assert httpx.get(f"http://127.0.0.1:{demo.port}/healthz").status_code == 404
    parts = httpx.get(f"http://localhost:{demo.port}/readyz").json()["parts"]
    assert all(part["ready"] for part in parts.values())


def assert_the_report_is_true(demo):
    file = demo.home / "demo.json"
    assert file.stat().st_mode & 0o777 == 0o600
    report = json.loads(file.read_text())
    assert report["base_url"] == f"http://localhost:{demo.port}"
    assert report["content_url"] == f"http://127.0.0.1:{demo.port}"
    for name in ("data_owner_dsn", "notional_owner_dsn"):
        with psycopg.connect(report[name]) as connection:
            connection.execute("SET row_security = off")
            counted = connection.execute(
                "SELECT count(*) FROM clinic.patients"
            ).fetchone()
            assert counted == (5000,)
    with psycopg.connect(report["app_dsn"]) as connection:
        names = connection.execute("SELECT username FROM accounts_user").fetchall()
        assert {"ada", "carol", "adams", "nora"} <= {name for (name,) in names}


def open_a_live_page(page: Page, demo) -> None:
    page.goto(f"http://localhost:{demo.port}/")
    page.get_by_label("User name").fill("adams")
    page.get_by_label("Password").fill("countersign")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Length of stay, live").first.click()
    page.get_by_role("button", name="Open the live page").click()
    page.wait_for_url("**/runs/**")


def assert_a_live_page_goes_on_without_what_was_killed(demo, browser: Browser) -> None:
    page = browser.new_page()
    open_a_live_page(page, demo)
    frame = page.frame_locator("iframe.session-frame")
    slider, line = frame.get_by_role("slider").first, frame.locator("#cs-status")
    expect(slider).to_be_visible(timeout=60_000)
    for part in ("valkey-server", "uvicorn"):
        expect(line).to_have_text("Ready", timeout=60_000)
        value = slider.get_attribute("aria-valuetext")
        (killed,) = [
            process
            for process in demo.family()
            if any(part in word for word in process.cmdline())
        ]
        killed.kill()
        expect(line).not_to_have_text("Ready", timeout=10_000)
        expect(line).to_have_text("Ready", timeout=60_000)
        slider.press("ArrowRight")
        expect(slider).not_to_have_attribute("aria-valuetext", value)
        expect(frame.get_by_text("patients that you may see").first).to_be_visible()
    page.get_by_role("button", name="End the live page").click()
    expect(page.get_by_text("The live page has ended")).to_be_visible(timeout=60_000)
    page.close()
    assert_nothing_of_a_run_is_left(demo)


def assert_nothing_of_a_run_is_left(demo) -> None:
    """Nor of the previews that the demo makes, whose messages were lost with the broker."""
    report = json.loads((demo.home / "demo.json").read_text())
    asked = (
        (report["app_dsn"], "SELECT status FROM runner_run WHERE finished_at IS NULL"),
        (
            report["data_owner_dsn"],
            "SELECT rolname FROM pg_roles WHERE rolname ~ '^r_[0-9a-f]{32}$'",
        ),
    )
    deadline = time.monotonic() + START_WITHIN_S
    left = [()]
    while left and time.monotonic() < deadline:
        time.sleep(0.5)
        left = []
        for dsn, query in asked:
            with psycopg.connect(dsn) as connection:
                left += connection.execute(query).fetchall()
    assert left == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_starts_answers_survives_a_kill_and_stops_leaving_nothing_behind(
    start, browser
):
    demo = start()
    assert_it_answers(demo)
    assert_the_report_is_true(demo)
    killed = demo.family()
    assert len(killed) >= 7
    demo.stop(signal.SIGKILL)
    _, left = psutil.wait_procs(killed, timeout=STOP_WITHIN_S)
    assert left == [], "what a kill leaves behind stops by itself"

    again = start()
    assert_it_answers(again)
    assert again.said().count("Inventing the patients") == 2, "nothing is made twice"
    assert_a_live_page_goes_on_without_what_was_killed(again, browser)
    family = again.family()
    assert again.stop(signal.SIGINT, signal.SIGINT) < STOP_WITHIN_S
    assert_gone(family)
    assert again.process.returncode == 0


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_it_stops_as_fast_while_it_makes_its_databases(start):
    demo = start(until="Loading 5,000 rows")
    family = demo.family()
    assert demo.stop(signal.SIGTERM) < STOP_WITHIN_S
    assert_gone(family)
    assert demo.process.returncode == 0
