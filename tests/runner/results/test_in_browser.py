"""Hostile notebooks in a real browser: nobody else ever hears of them.

Each layer is tried alone, with the others taken away: the sanitiser without any policy,
the policy and sandbox without the sanitiser, and the frame rule of the page around it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import InvalidNotebook
from nbformat import ValidationError
from playwright.sync_api import Browser, Error, Page

from config.security_headers import application_policy
from runner.results.document import compose, stylesheet_hash
from runner.results.headers import content_headers, content_policy
from runner.results.rendering import render
from tests.runner.results.hostile import payloads
from tests.runner.results.loopback import Loopback, loopback

pytestmark = [
    pytest.mark.browser,
    pytest.mark.security,
    # The control group is made by nbconvert's own template, which warns of what it gets.
    pytest.mark.filterwarnings("ignore"),
]

#: How long a page gets to do its worst (milliseconds).
PATIENCE_MS = 1500


@dataclass
class Web:
    """The application's page, the content origin, and the one who listens."""

    application: Loopback
    content: Loopback
    evil: Loopback
    page: Page

    def frame(
        self, bodies: list[str | bytes], *, policy: bool, frame_rule: bool
    ) -> None:
        """Open an application page that frames each of `bodies` from the content host."""
        for number, body in enumerate(bodies):
            self.content.serve(f"/{number}", body, self.content_headers(policy=policy))
        frames = "".join(
            f'<iframe src="{self.content.origin()}/{n}" {"sandbox" * policy}></iframe>'
            for n in range(len(bodies))
        )
        self.application.serve("/", frames, self.application_headers(frame_rule))
        self.page.goto(self.application.origin("localhost"))
        self.page.wait_for_timeout(PATIENCE_MS)

    def content_headers(self, *, policy: bool) -> dict[str, str]:
        if not policy:
            return {}
        rules = content_policy(
            application_origin=self.application.origin("localhost"),
            style_hash=stylesheet_hash(),
        )
        return {"Content-Security-Policy": rules, **content_headers(secure=False)}

    def application_headers(self, frame_rule: bool) -> dict[str, str]:
        rules = application_policy(content_origin=self.content.origin())["DIRECTIVES"]
        kept = {"frame-src": rules["frame-src"]} if frame_rule else {}
        text = "; ".join(f"{name} {' '.join(value)}" for name, value in kept.items())
        return {"Content-Security-Policy": text} if text else {}

    def use_everything(self) -> None:
        """Click whatever looks as if it leads somewhere, in every frame."""
        for frame in self.page.frames:
            for element in frame.locator("a, button, b, summary, input").all():
                try:
                    element.click(force=True, timeout=300, no_wait_after=True)
                except Error:
                    continue
        self.page.wait_for_timeout(PATIENCE_MS)


@pytest.fixture
def web(_chromium: Browser) -> Iterator[Web]:
    with loopback() as application, loopback() as content, loopback() as evil:
        context = _chromium.new_context()
        yield Web(application, content, evil, context.new_page())
        context.close()


def raw(evil: str) -> dict[str, str]:
    """What nbconvert makes of each hostile notebook by itself, where it makes anything."""
    exporter = HTMLExporter(template_name="basic")
    pages = {}
    for name, notebook in payloads(evil).items():
        try:
            pages[name] = exporter.from_notebook_node(nbformat.from_dict(notebook))[0]
        except (AttributeError, InvalidNotebook, ValidationError):
            continue  # nbconvert shows nothing of it at all
    return pages


def test_the_hostile_notebooks_are_hostile(web: Web):
    """The control group: without any of our layers they do reach out."""
    pages = raw(web.evil.origin())
    assert len(pages) > 35
    web.frame(list(pages.values()), policy=False, frame_rule=False)
    reached = {hit.partition("?")[0].lstrip("/") for hit in web.evil.hits}
    assert {"html", "svg", "refresh", "css", "iframe", "poster"} <= reached
    assert len(reached) > 30, reached


def test_after_rendering_they_are_dead_without_any_policy(web: Web):
    """The sanitiser alone: no sandbox, no policy, scripts allowed."""
    pages = [
        compose(render(notebook).html, title="<script>alert(1)</script>")
        for notebook in payloads(web.evil.origin()).values()
    ]
    web.frame(pages, policy=False, frame_rule=False)
    web.use_everything()
    assert web.evil.hits == []


def test_unsanitised_they_are_dead_in_the_sandboxed_frame(web: Web):
    """Sandbox, policy and frame rule alone: what nbconvert made, as it made it."""
    web.frame(list(raw(web.evil.origin()).values()), policy=True, frame_rule=True)
    web.use_everything()
    assert web.evil.hits == []


def test_without_the_policy_the_frame_leaks(web: Web):
    """The test above goes red when the content origin's headers are taken away."""
    web.frame([raw(web.evil.origin())["html"]], policy=False, frame_rule=True)
    assert web.evil.hits


@pytest.mark.parametrize("frame_rule", [True, False])
def test_only_the_frame_rule_stops_a_click_on_a_link(web: Web, frame_rule: bool):
    link = raw(web.evil.origin())["plain link"]
    web.frame([link], policy=True, frame_rule=frame_rule)
    web.use_everything()
    assert bool(web.evil.hits) is not frame_rule


def test_a_result_keeps_its_looks_under_the_policy(web: Web):
    """The one style sheet and its fonts load by hash; style attributes still count."""
    styled = payloads(web.evil.origin())["style url"]
    page = compose(render(styled).html, title="x")
    web.frame([page], policy=True, frame_rule=True)
    frame = web.page.frames[1]
    family = frame.locator("html").evaluate("e => getComputedStyle(e).fontFamily")
    assert "IBM Plex Sans" in family
    assert frame.evaluate("document.fonts.check('16px \"IBM Plex Sans\"')")
    colour = frame.locator("p").evaluate("e => getComputedStyle(e).color")
    assert colour not in {"rgb(21, 36, 42)", "rgb(0, 0, 0)"}


def test_another_style_sheet_in_the_page_does_nothing(web: Web):
    page = compose(b"<style>html { display: none }</style><p>x</p>", title="x")
    web.frame([page], policy=True, frame_rule=True)
    shown = web.page.frames[1].locator("html")
    assert shown.evaluate("e => getComputedStyle(e).display") == "block"


def test_no_other_site_may_frame_a_result(web: Web):
    page = compose(b"<p>31 prescriptions</p>", title="x")
    web.content.serve("/1", page, web.content_headers(policy=True))
    web.evil.serve("/", f'<iframe src="{web.content.origin()}/1"></iframe>', {})
    web.page.goto(web.evil.origin("localhost"))
    web.page.wait_for_timeout(500)
    assert "31 prescriptions" not in web.page.frames[1].content()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_a_wide_table_moves_in_its_box_and_not_the_page(web: Web, scheme, width):
    cells = "".join(f"<td>{number}.125</td>" for number in range(40))
    table = f'<table class="dataframe"><tr>{cells}</tr></table>'
    bundle = {
        "output_type": "display_data",
        "metadata": {},
        "data": {"text/html": table},
    }
    wide = {"cells": [{"cell_type": "code", "metadata": {}, "outputs": [bundle]}]}
    web.page.emulate_media(color_scheme=scheme)
    web.page.set_viewport_size({"width": width, "height": 800})
    web.content.serve("/", compose(render(wide).html, title="x"), {})
    web.page.goto(web.content.origin())
    assert web.page.evaluate("document.documentElement.scrollWidth") == width
    box = web.page.locator(".cs-html")
    assert box.evaluate("e => e.scrollWidth > e.clientWidth")
    assert box.get_attribute("tabindex") == "0"
