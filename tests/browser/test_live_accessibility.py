"""What stands inside a live page's frame: everybody can use it, in every theme and at every width."""

import pytest
from playwright.sync_api import expect

from tests.browser.axe import serious_findings
from tests.browser.conftest import Open
from tests.browser.test_live_pages import FIRST_MS, open_live, widgets

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("kernel_host", "data_cluster", "celery_worker"),
]

CONTROLS = """
import ipywidgets, pandas
display(ipywidgets.VBox([
    ipywidgets.IntSlider(value=3, max=10, description="Days"),
    ipywidgets.FloatSlider(value=3, max=10),
    ipywidgets.IntRangeSlider(value=[3, 8], max=10, description="Age"),
    ipywidgets.Dropdown(options=["Cardiology", "Surgery"], description="Unit"),
    ipywidgets.SelectMultiple(options=["A", "B"], description="Wards"),
    ipywidgets.RadioButtons(options=["A", "B"], description="Which"),
    ipywidgets.ToggleButtons(options=["Day", "Week"]),
    ipywidgets.Checkbox(description="Only open beds", value=True),
    ipywidgets.Text(description="Name", placeholder="of a ward"),
    ipywidgets.Text(description="Disabled", disabled=True, value="not now"),
    ipywidgets.DatePicker(description="Since"),
    ipywidgets.HBox([
        ipywidgets.Button(description="Show", button_style="primary"),
        ipywidgets.Button(description="Reset"),
    ]),
    ipywidgets.Tab([ipywidgets.Label("beds"), ipywidgets.Label("staff")], titles=["Beds", "Staff"]),
    ipywidgets.Accordion([ipywidgets.Label("in it")], titles=["More"]),
    ipywidgets.IntProgress(value=4, max=10, description="Loaded"),
]))
display(pandas.DataFrame({"ward": ["A", "B"], "beds": [1, 2]}))
display(pandas.DataFrame([range(30)]).add_prefix("ward "))
print("a line " * 60)
failing = ipywidgets.Output()
with failing:
    raise RuntimeError
failing
"""


@pytest.mark.parametrize(
    ("scheme", "width"),
    [("light", 1280), ("light", 320), ("dark", 1280), ("dark", 320)],
)
def test_everybody_can_use_what_stands_in_the_frame(
    open_as: Open, scheme: str, width: int
) -> None:
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    page = open_as("adams", **options)
    frame = open_live(page, widgets(CONTROLS))
    expect(frame.get_by_text("Quote incident")).to_be_visible(timeout=FIRST_MS)
    for name in ("Days", "Slider", "Age", "Age to"):
        expect(frame.get_by_role("slider", name=name, exact=True)).to_be_visible()
    line = frame.locator(".jp-RenderedText", has_text="a line").first
    expect(line).to_have_attribute("tabindex", "0")
    inside = page.frames[-1]
    assert serious_findings(inside) == []
    assert inside.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert inside.evaluate(
        "[document.documentElement.lang, document.title !== '']"
    ) == [
        "en-GB",
        True,
    ]
