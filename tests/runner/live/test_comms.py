"""Which widgets are known: those that the kernel itself has told of."""

import pytest

from runner.live import comms as module
from runner.live.comms import Comms
from tests.runner.live.messages import SLIDER, opened, told

ENTRY = {
    "model_module": "@jupyter-widgets/controls",
    "model_name": "TextModel",
    "state": {"disabled": True, "_model_name": "HTMLModel"},
}


def states(comm_id, entries):
    data = {"method": "update_states", "states": entries}
    return told("comm_msg", {"comm_id": comm_id, "data": data})


def test_a_control_tells_of_every_widget():
    known = Comms()
    assert known.open_control("c")
    known.heard(states("c", {"a": ENTRY, "b": None, "c": ENTRY}))
    widget = known.widget("a")
    assert (widget.model, widget.is_disabled) == ("TextModel", True)
    assert known.widget("b") is None
    assert known.widget("c") is None, "a page's own comm is no widget"


@pytest.mark.security
def test_only_a_control_tells_of_others():
    known = Comms()
    known.heard(opened(SLIDER))
    known.heard(states(SLIDER, {"a": ENTRY}))
    known.heard(states("nobody", {"a": ENTRY}))
    assert known.widget("a") is None


@pytest.mark.security
@pytest.mark.parametrize(
    "frame",
    [
        opened(SLIDER, target="hv-extension"),
        told("comm_open", {"comm_id": 5, "target_name": "jupyter.widget"}),
        told("comm_open", {"comm_id": SLIDER, "target_name": "jupyter.widget"}),
        told(
            "comm_open",
            {
                "comm_id": SLIDER,
                "target_name": "jupyter.widget",
                "data": {"state": {"_model_name": 1, "_model_module": "x"}},
            },
        ),
        told("comm_open", opened(SLIDER).content, channel="shell"),
        told("display_data", opened(SLIDER).content),
    ],
)
def test_what_is_no_widget_is_not_known(frame):
    known = Comms()
    known.heard(frame)
    assert known.widget(SLIDER) is None


@pytest.mark.security
def test_a_kernel_cannot_make_them_without_end(monkeypatch):
    monkeypatch.setattr(module, "MAX_WIDGETS", 3)
    known = Comms()
    for number in range(5):
        content = {**opened(SLIDER).content, "comm_id": f"w-{number}"}
        known.heard(told("comm_open", content))
    found = [known.widget(f"w-{number}") is not None for number in range(5)]
    assert found == [True, True, True, False, False]


def test_a_comm_that_the_kernel_closes_is_no_control_any_more():
    known = Comms()
    known.open_control("c")
    known.heard(told("comm_close", {"comm_id": "c"}))
    assert not known.is_control("c")
