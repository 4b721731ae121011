"""The page of a live session in a real browser, in front of a real kernel and its widgets."""

import hashlib
import os
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager
from playwright.sync_api import Browser, Frame, Page

from runner.sessions.assets import PRELOADS, assets
from tests.runner.sessions.peer import Peer, serving
from tests.support.environment import REPOSITORY

pytestmark = pytest.mark.browser

NAME = "python-analytics"
ENVIRONMENT = REPOSITORY / ".environments" / NAME
WORDS = "# Beds in use\n\nMove the slider to see a ward."
CELLS: list[dict[str, Any]] = [
    {"cell_type": "markdown", "metadata": {}, "source": WORDS},
    {"cell_type": "code", "metadata": {}, "source": "secret_formula = 1"},
    {"cell_type": "code", "metadata": {}, "source": "secret_formula = 2"},
    {"cell_type": "code", "metadata": {}, "source": "secret_formula = 3"},
]
WIDGETS = """
import ipywidgets
slider = ipywidgets.IntSlider(value=3, max=10, description="Ward")
label, out = ipywidgets.Label("ward 3"), ipywidgets.Output()
slider.observe(lambda change: setattr(label, "value", f"ward {change.new}"), "value")
with out:
    print("inside the widget")
display(slider, label, out)
"""


OUTPUTS = """
print("one", flush=True)
print("two", flush=True)
handle = display("before", display_id=True)
handle.update("after")
"""
#: What a script in the page tries, and what stops it.
REACHES = {
    "document.cookie": "SecurityError",
    "parent.document.title": "SecurityError",
    "localStorage.length": "SecurityError",
    "eval('1')": "EvalError",
    "await fetch('GALLERY/')": "Failed to fetch",
    "await fetch('OWN/live/another/api/kernels/7')": "Failed to fetch",
    "await fetch('OWN/assets/')": "Failed to fetch",
    "await fetch('http://127.0.0.1:9/')": "Failed to fetch",
    "await new Promise((_, no) => new WebSocket('OWN/x').onerror = () => no('shut'))": "",
    "new Worker(URL.createObjectURL(new Blob([])))": "",
    "await import('data:text/javascript,1')": "Failed to fetch",
}
LOOKS = """
import pandas
columns = [f"ward {number}" for number in range(14)]
display(pandas.DataFrame([[1.5 * n for n in range(14)]] * 3, columns=columns))
display(ipywidgets.VBox([
    ipywidgets.Dropdown(options=["Cardiology", "Surgery"], description="Unit"),
    ipywidgets.Text(description="Name", placeholder="of a ward"),
    ipywidgets.Checkbox(description="Only open beds", value=True),
    ipywidgets.HBox([
        ipywidgets.Button(description="Show", button_style="primary", icon="check"),
        ipywidgets.Button(description="Reset"),
    ]),
    ipywidgets.IntProgress(value=4, max=10, description="Loaded"),
    ipywidgets.ToggleButtons(options=["Day", "Week", "Month"]),
    ipywidgets.Tab([ipywidgets.Label("in the tab")], titles=["Beds"]),
]))
"""


@pytest.fixture(scope="module")
def client() -> Iterator[BlockingKernelClient]:
    """A kernel of the environment that notebooks get."""
    python = str(ENVIRONMENT / "bin" / "python")
    argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    manager = KernelManager()
    manager._kernel_spec = KernelSpec(argv=argv, language="python")
    manager.start_kernel(env=dict(os.environ))
    made = manager.client()
    made.start_channels()
    try:
        made.wait_for_ready(60)
        yield made
    finally:
        made.stop_channels()
        manager.shutdown_kernel(now=True)


class Seen:
    """A browser's page around the live one, all that it asked for and complained of."""

    def __init__(self, page: Page, peer: Peer) -> None:
        self.page, self.peer = page, peer
        self.asked: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("websocket", lambda socket: self.asked.append(socket.url))
        page.on("console", self.hear)
        page.on(
            "pageerror",
            lambda error: self.errors.append(str(error)),
        )

    def hear(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def open(self) -> Frame:
        """Open the application's page, whose frame is the live page."""
        self.page.goto(self.peer.application)
        return self.live

    @property
    def live(self) -> Frame:
        return self.page.frames[1]

    def is_ready(self) -> bool:
        """Has the page asked for all widgets, and been told?"""
        return any(said.msg_type == "comm_close" for said in self.peer.said)

    def waits_for(self, text: str) -> None:
        self.live.locator("#cs-status", has_text=text).wait_for(timeout=15_000)


@pytest.fixture
def seen(_chromium: Browser, client: BlockingKernelClient) -> Iterator[Seen]:
    client.execute(
        "%reset -f\nimport ipywidgets; ipywidgets.Widget.close_all()", reply=True
    )
    lock = (ENVIRONMENT / "lock.txt").read_bytes()
    page = {
        "title": "Beds",
        "kernel_name": "python3",
        "environment": NAME,
        "environment_lock_sha256": hashlib.sha256(lock).hexdigest(),
        "notebook": {"cells": CELLS},
        "theme": "",
    }
    with serving(Peer(client, page)) as peer:
        context = _chromium.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(15_000)
        yield Seen(context.new_page(), peer)
        context.close()


def texts(frame: Frame) -> list[str]:
    """What the code cells show, one text for each output."""
    outputs = frame.locator("[data-cell] > .jp-OutputArea > .jp-OutputArea-child")
    return [text.strip() for text in outputs.all_inner_texts()]


def moved(peer: Peer) -> list[dict[str, Any]]:
    """What the page has told widgets."""
    data = [said.content.get("data", {}) for said in peer.said]
    return [each["state"] for each in data if each.get("method") == "update"]


def test_a_slider_moves_and_its_label_follows(seen):
    live = seen.open()
    seen.waits_for("Starting…")
    seen.peer.execute(1, WIDGETS)
    slider = live.get_by_role("slider")
    slider.wait_for()
    live.get_by_text("inside the widget").wait_for()
    assert live.get_by_text("inside the widget").count() == 1
    slider.press("ArrowRight")
    live.get_by_text("ward 4", exact=True).wait_for()
    assert {"value": 4} in moved(seen.peer)
    seen.peer.execute(2, "print(slider.value)")
    live.locator("[data-cell='2'] pre", has_text="4").wait_for()
    assert seen.errors == []


def test_a_widget_is_there_before_its_cell_ends(seen):
    live = seen.open()
    seen.peer.until(seen.is_ready)
    source = WIDGETS + "import time; time.sleep(3); print('late')"
    seen.peer.execute(1, source, waits=False)
    live.get_by_role("slider").wait_for()
    seen.waits_for("Running cell 1 of 3")
    assert live.locator("[data-cell='1']").get_attribute("data-state") == "running"
    assert live.get_by_text("late").count() == 0
    live.get_by_text("late").wait_for()
    seen.peer.execute(2, "1")
    seen.peer.execute(3, "1")
    seen.waits_for("Ready")


def test_outputs_follow_each_change(seen):
    live = seen.open()
    seen.peer.execute(1, OUTPUTS)
    live.get_by_text("after").wait_for()
    assert texts(live) == ["one\ntwo", "'after'"]
    seen.peer.change(1, "clear")
    live.get_by_text("after").wait_for(state="detached")
    seen.peer.execute(2, "1 / 0")
    live.get_by_text("ZeroDivisionError").first.wait_for()
    seen.waits_for("Cell 2 ended with an error")
    seen.peer.change(3, "started")
    seen.peer.change(3, "waiting")
    seen.waits_for("Waiting for your input")
    seen.peer.change(3, "resumed")
    seen.waits_for("Running cell 3 of 3")
    seen.peer.change(3, "finished", status="ok")
    seen.waits_for("Cell 2 ended with an error")
    assert seen.errors == []


def test_a_page_that_comes_late_and_again_shows_everything_once(seen):
    seen.peer.execute(1, WIDGETS)
    seen.peer.execute(2, "print('rows: 31')")
    live = seen.open()
    live.get_by_role("slider").wait_for()
    live.get_by_text("inside the widget").wait_for()
    before = texts(live)
    assert before.count("rows: 31") == 1

    seen.peer.refuses = True
    seen.peer.drop()
    seen.waits_for("Connecting again…")
    # Made while nobody looked: it must be known before what shows it, and some widget
    # managers have no patience.
    seen.peer.thinks_s = 2.5
    seen.peer.execute(3, "display(ipywidgets.Button(description='While away'))")
    seen.peer.refuses = False
    live.get_by_role("button", name="While away").wait_for(timeout=30_000)
    live.get_by_text("inside the widget").wait_for()
    assert texts(live) == [*before, "While away"]
    seen.waits_for("Ready")
    live.get_by_role("slider").press("ArrowRight")
    live.get_by_text("ward 4", exact=True).wait_for()


def test_a_widget_whose_answer_was_lost_works_on(seen):
    seen.peer.execute(1, WIDGETS)
    live = seen.open()
    slider = live.get_by_role("slider")
    slider.wait_for()
    live.get_by_text("inside the widget").wait_for()
    seen.peer.is_silent = True
    slider.press("ArrowRight")
    seen.peer.until(lambda: {"value": 4} in moved(seen.peer))
    seen.page.wait_for_timeout(300)
    seen.peer.is_silent = False
    seen.peer.drop()
    live.get_by_text("ward 4", exact=True).wait_for(timeout=30_000)
    live.get_by_role("slider").press("ArrowRight")
    live.get_by_text("ward 5", exact=True).wait_for()


def test_a_session_that_ends_says_so(seen):
    live = seen.open()
    seen.peer.execute(1, WIDGETS)
    live.get_by_role("slider").wait_for()
    seen.peer.die()
    live.get_by_role("alert").get_by_text("The session has ended.").wait_for()
    seen.waits_for("The session has ended")
    assert live.get_by_text("ward 3").is_visible()


def test_a_page_of_a_session_that_is_over_says_so(seen):
    seen.peer.is_dead = True
    live = seen.open()
    live.get_by_role("alert").get_by_text("The session has ended.").wait_for()


def test_a_connection_that_does_not_come_back_is_said_to_be_lost(seen):
    live = seen.open()
    seen.peer.execute(1, WIDGETS)
    live.get_by_role("slider").wait_for()
    # Seven tries take minutes; their end is what counts here.
    live.evaluate(
        "async () => { const manager = await jupyterapp.widgetManagerPromise.promise;"
        "manager.kernel._reconnectAttempt = 7; }"
    )
    seen.peer.drop()
    lost = "This page has lost its connection. Load the page again."
    live.get_by_role("alert").get_by_text(lost).wait_for()


def test_what_every_page_loads_is_preloaded_and_nothing_else(seen, monkeypatch):
    """The list belongs to one version of the front end: what this says is what it must be."""
    monkeypatch.setattr(assets(), "preloads", [])
    live = seen.open()
    seen.peer.execute(1, WIDGETS)
    live.get_by_role("slider").wait_for()
    seen.page.wait_for_timeout(1_000)
    scripts = f"{seen.peer.origin}{assets().voila}"
    loaded = {
        url.removeprefix(scripts)
        for url in seen.asked
        if url.startswith(scripts) and url.endswith(".js")
    }
    assert sorted(loaded) == sorted(PRELOADS.read_text().split())


@pytest.mark.security
def test_nothing_leaves_the_content_origin_and_no_source_reaches_the_page(seen):
    live = seen.open()
    seen.peer.execute(1, WIDGETS)
    live.get_by_role("slider").wait_for()
    seen.page.wait_for_timeout(500)
    origin = seen.peer.origin
    own = (f"{origin}/", f"{origin.replace('http', 'ws')}/", "data:", "blob:")
    asked = set(seen.asked) - {f"{seen.peer.application}/"}
    assert len(asked) > 50
    assert [url for url in asked if not url.startswith(own)] == []
    assert [path for path, status in seen.peer.served if status != 200] == []
    assert "secret_formula" not in live.content()
    assert seen.errors == []


@pytest.mark.security
def test_what_a_notebook_shows_runs_nothing_and_reaches_nobody(seen):
    live = seen.open()
    evil = f"{seen.peer.application}/evil"
    hostile = (
        f"<script>window.ran = 1; fetch('{evil}')</script>"
        f"<img src='data:x' onerror='window.ran = 2'><img src='{evil}?img'>"
        f"<link rel=stylesheet href='{evil}?css'><iframe src='{evil}?frame'></iframe>"
        f"<form action='{evil}?form'><button>Send</button></form>"
        f"<style>@import '{evil}?import'; b {{ background: url({evil}?url) }}</style>"
        f"<b>bold</b><a href='{evil}?link'>away</a>"
    )
    for data in ({"text/html": hostile}, {"application/javascript": "window.ran = 3"}):
        output = {"output_type": "display_data", "metadata": {}, "data": data}
        seen.peer.change(1, "append", output=output)
    live.get_by_text("bold").wait_for()
    live.get_by_role("button", name="Send").click()
    live.get_by_text("away").click(no_wait_after=True)
    seen.page.wait_for_timeout(700)
    assert [path for path, _ in seen.peer.served if path.startswith("/evil")] == []
    assert live.evaluate("window.ran ?? null") is None
    assert live.get_by_text("bold").is_visible(), "and the page is still there"


#: Sent as a script of the page's own making, which the policy lets run.
REACH = """source => new Promise((done) => {
  globalThis.told = done;
  const body = `(async () => { ${source} })().then(() => told(null), (error) => told(String(error)))`;
  const script = document.createElement("script");
  script.src = URL.createObjectURL(new Blob([body], { type: "text/javascript" }));
  document.head.append(script);
})"""


def reached(seen: Seen, source: str) -> str | None:
    """How a script in the page failed; None when it did not."""
    source = source.replace("GALLERY", seen.peer.application)
    found: str | None = seen.live.evaluate(
        REACH, source.replace("OWN", seen.peer.origin)
    )
    return found


@pytest.mark.security
def test_a_script_in_the_page_can_reach_nobody(seen):
    seen.open()
    seen.waits_for("Starting…")
    seen.peer.until(lambda: bool(seen.peer.pages))
    assert reached(seen, "1") is None, "scripts of its own making do run"
    served = len(seen.peer.served)
    for source, why in REACHES.items():
        assert why in (reached(seen, source) or "nothing"), source
    paths = [path for path, _ in seen.peer.served[served:]]
    assert [path for path in paths if not path.startswith("/assets/voila/")] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_it_is_readable_at_every_width(seen, scheme, width):
    seen.page.emulate_media(color_scheme=scheme)
    seen.page.set_viewport_size({"width": width, "height": 900})
    seen.peer.execute(1, WIDGETS + LOOKS)
    seen.peer.execute(2, "print('a line ' * 40)")
    seen.peer.execute(3, "1 / 0")
    seen.page.goto(seen.peer.base_url)
    seen.page.get_by_role("slider").wait_for()
    seen.page.get_by_text("ZeroDivisionError").first.wait_for()
    seen.page.wait_for_timeout(300)
    assert seen.page.evaluate("document.documentElement.scrollWidth") == width
