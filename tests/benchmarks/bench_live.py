"""A live page next to the real Voila: time to the first widget, round trip, memory of a session.

Our side is everything: the press of a button, approval checked anew, a login of the person's own, a
sandboxed kernel that has executed nothing before, the relay with its rules, the record.  The peer is
Voila as it comes, cold, and with a notebook that it has executed in advance.  The same notebook, the
same Chromium, the same widget libraries.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Frame, Page

from config.demo.people import PASSWORD
from tests.benchmarks.bench_memory import below, pss_bytes
from tests.benchmarks.demo_site import DemoSite, demo_site
from tests.benchmarks.report import publish, ratio
from tests.benchmarks.voila_server import VoilaServer, voila_server
from tests.gallery.notebooks import code, notebook

pytestmark = pytest.mark.timeout(3600)
ROUNDS = 5
MOVES = 100
SESSIONS = 5
#: Time for what a page left behind to end, and for what is kept ready to be ready again.
PAUSE_S = 4.0
WIDGETS = """
import ipywidgets
slider, label = ipywidgets.IntSlider(value=3, max=10), ipywidgets.Label("at 3")
slider.observe(lambda change: setattr(label, "value", f"at {change.new}"), "value")
display(ipywidgets.VBox([slider, label]))
"""
DOCUMENT = notebook(code(WIDGETS), code("print('ready')"))
#: Who opens them; one person may have a few only.
READERS = ("adams", "baker")
POOL = "python-analytics/python3=2"
MEASURE = """
async (moves) => {
  const handle = document.querySelector('.noUi-handle');
  const label = [...document.querySelectorAll('.widget-label, .jupyter-widgets')].find(
    (each) => each.children.length === 0 && /^at [0-9]+$/.test(each.textContent.trim()));
  const took = [];
  for (let n = 0; n < moves; n++) {
    const changed = new Promise((resolve) => new MutationObserver((_, observer) => {
      observer.disconnect(); resolve(); }).observe(
        label, {childList: true, characterData: true, subtree: true}));
    const began = performance.now();
    handle.dispatchEvent(new KeyboardEvent(
      'keydown', {key: n % 2 ? 'ArrowLeft' : 'ArrowRight', bubbles: true, cancelable: true}));
    await changed;
    took.push(performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  return took;
}
"""


class Ours:
    """Live pages of a demo, opened by a doctor."""

    def __init__(self, site: DemoSite) -> None:
        self.pid = site.pid
        self.url = site.url
        self.slug = site.approve("Measured live", DOCUMENT)
        self.readers = cycle(READERS)

    def prepare(self, context: BrowserContext) -> Page:
        """A page from which the notebook is opened, with somebody signed in."""
        page = context.new_page()
        page.goto(f"{self.url}/sign-in/")
        page.get_by_label("User name").fill(next(self.readers))
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/sign-in/" not in url)
        page.goto(f"{self.url}/notebooks/{self.slug}/")
        return page

    def open(self, page: Page) -> Frame:
        """Press the button, and return the frame with the first widget."""
        page.get_by_role("button", name="Open the live page").click()
        page.wait_for_selector("iframe.session-frame")
        element = page.query_selector("iframe.session-frame")
        frame = element.content_frame() if element else None
        assert frame is not None
        frame.wait_for_selector(".noUi-handle", timeout=60_000)
        return frame

    def leave(self, page: Page) -> None:
        """End the session."""
        page.get_by_role("button", name="End the live page").click()
        page.get_by_text("The live page has ended").wait_for(timeout=30_000)


class Theirs:
    """Pages of a Voila."""

    def __init__(self, server: VoilaServer) -> None:
        self.pid = server.pid
        self.url = server.url

    def prepare(self, context: BrowserContext) -> Page:
        """An empty page: here an address is all that is needed."""
        return context.new_page()

    def open(self, page: Page) -> Frame:
        """Go to the address, and return the page with the first widget."""
        page.goto(self.url, wait_until="commit")
        page.wait_for_selector(".noUi-handle", timeout=60_000)
        return page.main_frame

    def leave(self, page: Page) -> None:
        """Close the page, which ends its kernel."""
        page.close(run_before_unload=True)


Side = Ours | Theirs


@pytest.fixture
def browser(_chromium: Browser) -> Browser:
    """The system's Chromium."""
    return _chromium


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Side]]:
    """All three, running beside each other and idle while another is measured."""
    folder: Path = tmp_path_factory.mktemp("live")
    with ExitStack() as stack:
        ours = stack.enter_context(demo_site(folder / "demo", KERNEL_HOST_POOL=POOL))
        found: dict[str, Side] = {"Countersign": Ours(ours)}
        for name, preheats in (("Voila", False), ("Voila, preheated", True)):
            server = voila_server(folder / name, DOCUMENT, preheats=preheats)
            found[name] = Theirs(stack.enter_context(server))
        yield found


@contextmanager
def visit(browser: Browser, side: Side) -> Iterator[Page]:
    """A page of a fresh browser profile, whose cache is empty."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    try:
        yield side.prepare(context)
    finally:
        context.close()
        time.sleep(PAUSE_S)


def rounds_of(
    sides: dict[str, Side], measure: Callable[[Side], list[float]]
) -> dict[str, list[list[float]]]:
    """Measure each side once a round, one right after the other."""
    found: dict[str, list[list[float]]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, side in sides.items():
            found[name].append(measure(side))
    return found


def first_widget_s(browser: Browser, side: Side) -> list[float]:
    """Seconds until the first widget is there: with an empty cache, then with a full one."""
    took = []
    with visit(browser, side) as page:
        for _ in range(2):
            began = time.perf_counter()
            side.open(page)
            took.append(time.perf_counter() - began)
            context = page.context
            side.leave(page)
            time.sleep(PAUSE_S)
            page = side.prepare(context) if isinstance(side, Theirs) else again(page)
    return took


def again(page: Page) -> Page:
    """Back to the notebook's page."""
    page.get_by_role("link", name="About this notebook").click()
    page.get_by_role("button", name="Open the live page").wait_for()
    return page


def test_first_widget(browser: Browser, sides: dict[str, Side]) -> None:
    found = rounds_of(sides, lambda side: first_widget_s(browser, side))
    rows = []
    for place, cache in enumerate(("empty cache", "full cache")):
        ours = [each[place] for each in found["Countersign"]]
        for name in ("Voila", "Voila, preheated"):
            theirs = [each[place] for each in found[name]]
            seconds = [f"{statistics.median(each):.2f} s" for each in (theirs, ours)]
            rows.append([f"{cache}, {name}", *seconds, f"{ratio(theirs, ours):.2f} ×"])
    publish(
        "first widget", ("first widget, peer", "peer", "ours", "ratio"), rows, ROUNDS
    )


def round_trips_ms(browser: Browser, side: Side) -> list[float]:
    """Milliseconds from a key on the slider to the label that a callback changes, many times."""
    with visit(browser, side) as page:
        frame = side.open(page)
        frame.evaluate(MEASURE, 10)
        took: list[float] = frame.evaluate(MEASURE, MOVES)
        side.leave(page)
    return took


def test_round_trip(browser: Browser, sides: dict[str, Side]) -> None:
    found = rounds_of(sides, lambda side: round_trips_ms(browser, side))
    publish_round_trips("round trip", found, ROUNDS)


def publish_round_trips(
    section: str, found: dict[str, list[list[float]]], rounds: int
) -> None:
    rows = []
    for name, place in (("p50", 0.5), ("p95", 0.95)):
        ours = [quantile(each, place) for each in found["Countersign"]]
        theirs = [quantile(each, place) for each in found["Voila"]]
        ms = [f"{statistics.median(each):.0f} ms" for each in (theirs, ours)]
        rows.append([name, *ms, f"{ratio(theirs, ours):.2f} ×"])
    publish(section, ("round trip", "Voila", "ours", "ratio"), rows, rounds)


def quantile(values: list[float], place: float) -> float:
    """The value below which this part of the values lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * place))]


def test_many_sessions(browser: Browser, sides: dict[str, Side]) -> None:
    """The memory of a session that nobody touches, and a round trip beside four others."""
    memory: dict[str, list[float]] = {}
    trips: dict[str, list[list[float]]] = {}
    for name in ("Voila", "Countersign"):
        side = sides[name]
        before = pss_bytes(below(side.pid) | {side.pid})
        with ExitStack() as stack:
            frames = [
                side.open(stack.enter_context(visit(browser, side)))
                for _ in range(SESSIONS)
            ]
            time.sleep(PAUSE_S)
            held = pss_bytes(below(side.pid) | {side.pid}) - before
            memory[name] = [held / SESSIONS]
            trips[name] = [frames[-1].evaluate(MEASURE, MOVES)]
        time.sleep(PAUSE_S)
    mib = [f"{memory[name][0] / 2**20:.0f} MiB" for name in ("Voila", "Countersign")]
    times = f"{ratio(memory['Voila'], memory['Countersign']):.2f} ×"
    publish(
        "idle session",
        ("idle session", "Voila", "ours", "ratio"),
        [["memory (PSS) of each of five", *mib, times]],
        1,
    )
    publish_round_trips("round trip of one of five", trips, 1)
