"""The table of what readers may change, held against the ipywidgets that notebooks get."""

import json
import subprocess

import pytest

from runner.live.traits import CONTROLS, COUNTED, WRITABLE, is_event, writable
from tests.support.environment import REPOSITORY

PYTHON = REPOSITORY / ".environments" / "python-analytics" / "bin" / "python"
EVERY_WIDGET = """
import ipywidgets, json
found = []
def walk(level):
    for below in level.values():
        if isinstance(below, dict): walk(below)
        else:
            traits = below.class_traits(sync=True)
            names = [traits[name].default_value for name in ("_model_module", "_model_name")]
            found.append([*names, sorted(traits)])
walk(ipywidgets.widgets.widget._registry._registry)
print(json.dumps(found))
"""
#: A reader has no use for them, or what they show is the notebook's to say.
SHOWN_ONLY = {
    *(
        "AudioModel",
        "ImageModel",
        "VideoModel",
        "LabelModel",
        "HTMLModel",
        "HTMLMathModel",
    ),
    *("FloatProgressModel", "IntProgressModel", "ValidModel"),
    # A gamepad; and a plain widget of whoever derives one.
    *(
        "ControllerAxisModel",
        "ControllerButtonModel",
        "ControllerModel",
        "DOMWidgetModel",
    ),
}
SETS_A_BOUND = """
import ipywidgets
slider = ipywidgets.IntSlider(value=3, max=10)
data = {"method": "update", "state": {"value": 4}, "buffer_paths": [["max"]]}
slider._handle_msg({"content": {"data": data}, "buffers": [b"99"]})
print(slider.max)
"""


@pytest.fixture(scope="module")
def real():
    """Traits of every widget of ipywidgets, by module and model."""
    printed = subprocess.check_output([PYTHON, "-c", EVERY_WIDGET])
    return {
        (module, model): set(traits) for module, model, traits in json.loads(printed)
    }


def test_every_entry_is_a_widget_with_these_traits(real):
    for kind, traits in WRITABLE.items():
        assert traits <= real[kind], kind


def test_every_control_that_holds_a_value_is_listed_or_left_out_on_purpose(real):
    asked = {"value", "index", "selected_index"}
    forgotten = {
        model
        for (module, model), traits in real.items()
        if traits & asked and (module, model) not in WRITABLE
    }
    assert forgotten == SHOWN_ONLY


def test_widgets_that_show_something_count_their_views_and_no_more(real):
    for model in SHOWN_ONLY:
        assert writable(CONTROLS, model) == COUNTED
    assert writable(CONTROLS, "OfAnotherVersionModel") == COUNTED


def test_other_libraries_are_not_judged_here():
    assert writable("jupyter-leaflet", "LeafletMapModel") is None
    assert is_event("jupyter-leaflet", "LeafletMapModel", {"any": "thing"})


@pytest.mark.security
def test_ipywidgets_puts_a_buffer_wherever_its_path_says():
    """The rule for paths is there for this: it reaches a bound that the state does not name."""
    printed = subprocess.check_output([PYTHON, "-c", SETS_A_BOUND], text=True)
    assert printed == "99\n"
