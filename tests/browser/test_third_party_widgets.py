"""Widgets of other libraries on a live page: they are drawn, and what is done there is answered by Python."""

import re
from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone
from playwright.sync_api import ConsoleMessage, FrameLocator, Locator, Page, expect

from runner.models import Run
from tests.browser.conftest import Open
from tests.browser.test_live_pages import FIRST_MS, open_live, widgets
from tests.support.processes import Process

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("kernel_host", "data_cluster", "celery_worker"),
]

ENVIRONMENT = "python-widgets"
#: Scripts of these libraries take their time, on a machine that does other things as well.
ANSWER_MS = 20_000
BQPLOT = """
import bqplot, ipywidgets
scales = {"x": bqplot.OrdinalScale(), "y": bqplot.LinearScale()}
bars = bqplot.Bars(x=["A", "B", "C"], y=[3, 5, 2], scales=scales, interactions={"click": "select"})
axes = [bqplot.Axis(scale=scales["x"]), bqplot.Axis(scale=scales["y"], orientation="vertical")]
chosen, more = ipywidgets.Label("none chosen"), ipywidgets.Button(description="One more")
bars.observe(lambda change: setattr(chosen, "value", f"chosen {[int(n) for n in change.new]}"), "selected")
@more.on_click
def _(button):
    with bars.hold_sync():
        bars.x, bars.y = ["A", "B", "C", "D"], [3, 5, 2, 4]
display(ipywidgets.VBox([more, bqplot.Figure(marks=[bars], axes=axes, title="Beds"), chosen]))
"""
LEAFLET = """
import ipyleaflet, ipywidgets
here = ipyleaflet.Marker(location=(52.2, 0.12), title="Hospital")
seen = ipywidgets.Label("not moved")
area = ipyleaflet.Map(center=(52.2, 0.12), zoom=9, layers=())
area.add(ipyleaflet.GeoJSON(data={"type": "Feature", "properties": {}, "geometry": {
    "type": "Polygon", "coordinates": [[[0, 52.1], [0.3, 52.1], [0.3, 52.3], [0, 52.1]]]}}))
area.add(here)
area.add(ipyleaflet.ScaleControl())
area.add(ipyleaflet.MeasureControl())
area.observe(lambda change: setattr(seen, "value", f"zoom {change.new:.0f}"), "zoom")
display(area, seen)
"""
TILES = """
import ipyleaflet
display(ipyleaflet.Map(center=(52.2, 0.12), zoom=9))
"""
PLOTLY = """
import ipywidgets, plotly.graph_objects as go
figure = go.FigureWidget(go.Bar(x=["A", "B"], y=[3, 5]), layout={"title": {"text": "Beds"}})
beds, clicked = ipywidgets.IntSlider(value=3, max=9), ipywidgets.Label("not clicked")
@figure.data[0].on_click
def _(trace, points, state):
    clicked.value = f"clicked {points.xs}"
def changed(change):
    figure.data[0].y = [change.new, 5]
    figure.layout.title.text = f"{change.new} beds"
beds.observe(changed, "value")
display(ipywidgets.VBox([beds, figure, clicked]))
"""
PLOTLY_STATIC = """
import plotly.graph_objects as go
go.Figure(go.Bar(x=["A", "B"], y=[3, 5]), layout={"title": {"text": "Drawn once"}}).show()
"""
ANYWIDGET = '''
import anywidget, ipywidgets, traitlets
class Counter(anywidget.AnyWidget):
    _esm = """
    function render({ model, el }) {
      const button = document.createElement("button");
      const show = () => { button.textContent = `pressed ${model.get("count")} times`; };
      button.addEventListener("click", () => {
        model.set("count", model.get("count") + 1);
        model.save_changes();
      });
      model.on("change:count", show);
      show();
      el.append(button);
    }
    export default { render };
    """
    _css = "button { letter-spacing: 1px }"
    count = traitlets.Int(0).tag(sync=True)
counter, told = Counter(), ipywidgets.Label("Python knows 0")
counter.observe(lambda change: setattr(told, "value", f"Python knows {change.new}"), "count")
display(counter, told)
'''
IPYMPL = """
%matplotlib widget
import ipywidgets, matplotlib.pyplot as plt
figure, axes = plt.subplots()
line, = axes.plot([1, 2, 3], [3, 5, 2])
beds, mode = ipywidgets.IntSlider(value=3, max=9), ipywidgets.Label("no mode")
def changed(change):
    line.set_color("red")
    line.set_linewidth(20)
    figure.canvas.draw_idle()
beds.observe(changed, "value")
figure.canvas.mpl_connect("button_press_event", lambda event: setattr(mode, "value", f"pressed {event.button:d}"))
display(beds, mode)
"""


class Look:
    """A live page of a notebook, and all that went wrong in it."""

    def __init__(self, page: Page, *sources: str) -> None:
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._hear)
        self.page = page
        self.frame: FrameLocator = open_live(
            page, widgets(*sources, environment=ENVIRONMENT)
        )

    def end(self) -> FrameLocator:
        """End the live page; return the result that it leaves."""
        self.page.get_by_role("button", name="End the live page").click()
        ended = self.page.get_by_text("The live page has ended.")
        expect(ended).to_be_visible(timeout=FIRST_MS)
        return self.page.frame_locator("iframe.result-frame")

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)


Show = Callable[..., Look]


@pytest.fixture
def show(open_as: Open, celery_worker: Process) -> Iterator[Show]:
    """Return `show(*sources)`: the live page of a notebook; what it left open is ended."""
    yield lambda *sources, **options: Look(open_as("adams", **options), *sources)
    Run.objects.filter(finished_at=None).update(cancel_requested_at=timezone.now())


def test_bqplot_draws_marks_and_tells_which_one_was_chosen(show: Show) -> None:
    look = show(BQPLOT)
    bars = look.frame.locator(".bqplot svg .bar")
    expect(bars).to_have_count(3, timeout=FIRST_MS)
    bars.nth(1).click()
    expect(look.frame.get_by_text("chosen [1]")).to_be_visible(timeout=ANSWER_MS)
    look.frame.get_by_role("button", name="One more").click()
    expect(bars).to_have_count(4, timeout=ANSWER_MS)
    assert look.errors == []
    result = look.end()
    expect(result.get_by_text("An interactive part is left out")).to_be_visible()
    expect(result.get_by_text("chosen [1]")).to_be_visible()


def test_a_map_shows_its_shapes_and_tells_how_far_it_was_zoomed(show: Show) -> None:
    look = show(LEAFLET)
    area = look.frame.locator(".leaflet-container")
    expect(area).to_be_visible(timeout=FIRST_MS)
    expect(area.locator("svg path.leaflet-interactive")).to_be_visible()
    expect(area.locator("img.leaflet-marker-icon")).to_be_visible()
    expect(area.locator(".leaflet-control-scale")).to_be_visible()
    expect(area.get_by_text("Measuring is not possible on this page.")).to_be_visible()
    area.get_by_role("button", name="Zoom in").click()
    expect(look.frame.get_by_text("zoom 10")).to_be_visible(timeout=ANSWER_MS)
    assert look.errors == []


def test_a_map_without_its_tiles_says_that_they_are_left_out(show: Show) -> None:
    look = show(TILES)
    area = look.frame.locator(".leaflet-container")
    expect(area).to_be_visible(timeout=FIRST_MS)
    left_out = "Pictures from other addresses, such as the tiles of maps, are left out."
    expect(look.frame.get_by_text(left_out)).to_be_visible()
    assert look.errors
    assert all("Content Security Policy" in error for error in look.errors)


def test_plotly_draws_a_figure_that_python_changes_and_hears(show: Show) -> None:
    look = show(PLOTLY)
    bars = look.frame.locator(".js-plotly-plot .barlayer .point path")
    expect(bars).to_have_count(2, timeout=FIRST_MS)
    look.frame.get_by_role("slider").first.press("ArrowRight")
    expect(look.frame.get_by_text("4 beds")).to_be_visible(timeout=ANSWER_MS)
    box = bars.first.bounding_box()
    assert box is not None
    look.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    look.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(look.frame.get_by_text("clicked ['A']")).to_be_visible(timeout=ANSWER_MS)
    assert look.errors == []


def test_plotly_draws_a_figure_that_is_no_widget(show: Show) -> None:
    look = show(PLOTLY_STATIC)
    bars = look.frame.locator(".js-plotly-plot .barlayer .point path")
    expect(bars).to_have_count(2, timeout=FIRST_MS)
    expect(look.frame.get_by_text("Drawn once")).to_be_visible()
    assert look.errors == []


def test_a_widget_that_brings_its_own_script_is_answered(show: Show) -> None:
    look = show(ANYWIDGET)
    button = look.frame.get_by_role("button", name=re.compile("pressed 0 times"))
    expect(button).to_be_visible(timeout=FIRST_MS)
    expect(button).to_have_css("letter-spacing", "1px")
    button.click()
    expect(look.frame.get_by_text("pressed 1 times")).to_be_visible()
    expect(look.frame.get_by_text("Python knows 1")).to_be_visible(timeout=ANSWER_MS)
    assert look.errors == []


DRAWN = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let red = 0, dark = 0;
  for (let at = 0; at < data.length; at += 4) {
    if (data[at] > 200 && data[at + 1] < 60 && data[at + 2] < 60) red += 1;
    if (data[at] < 60 && data[at + 1] < 60 && data[at + 2] < 60 && data[at + 3] > 200) dark += 1;
  }
  return [red > 500, dark > 500];
}"""


def test_matplotlib_draws_into_a_canvas_and_hears_the_mouse(show: Show) -> None:
    look = show(IPYMPL)
    canvas = look.frame.locator(".jupyter-matplotlib-canvas-container canvas").first
    expect(canvas).to_be_visible(timeout=FIRST_MS)
    until_drawn(look, canvas, [False, True])
    look.frame.get_by_role("slider").first.press("ArrowRight")
    until_drawn(look, canvas, [True, True])
    box = canvas.bounding_box()
    assert box is not None
    look.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(look.frame.get_by_text("pressed 1")).to_be_visible(timeout=ANSWER_MS)
    assert look.errors == []
    result = look.end()
    expect(result.get_by_role("img", name="Figure 1")).to_be_visible()
    expect(result.get_by_text("This is how it was first drawn.")).to_be_visible()


def until_drawn(look: Look, canvas: Locator, drawn: list[bool]) -> None:
    """Wait until a canvas has red and dark points, or not, as told."""
    for _ in range(100):
        if canvas.evaluate(DRAWN) == drawn:
            return
        look.page.wait_for_timeout(100)
    raise AssertionError(canvas.evaluate(DRAWN))
