"""A run that nobody looks at keeps what its widgets hold, within bounds, and loses no output."""

from typing import Any

import pytest

from runner.kernelhost import resting
from runner.kernelhost.output_widgets import MODEL, MODULE
from runner.kernelhost.outputs import OutputLimitReached
from runner.kernelhost.protocol import Limits
from runner.kernelhost.resting import RestingWidgets
from runner.live import mirror
from runner.live.mirror import STATE_MIME
from runner.results.rendering import render

CONTROLS = "@jupyter-widgets/controls"


def message(kind: str, parent: str = "cell", **content: Any) -> dict[str, Any]:
    return {
        "msg_type": kind,
        "parent_header": {"msg_id": parent},
        "content": content,
    }


def opened(comm_id: str, model: str, module: str = CONTROLS, **state: Any) -> dict:
    named = {"_model_name": model, "_model_module": module}
    return message(
        "comm_open",
        comm_id=comm_id,
        target_name="jupyter.widget",
        data={"state": {**named, **state}},
    )


def printed(text: str) -> dict[str, Any]:
    return message("stream", name="stdout", text=text)


def document(widgets: RestingWidgets) -> dict[str, Any]:
    cells: list[dict[str, Any]] = [{"outputs": []}, {"outputs": []}]
    notebook: dict[str, Any] = {"metadata": {"kernelspec": {}}, "cells": cells}
    widgets.put_into(notebook)
    return notebook


def states(widgets: RestingWidgets) -> dict[str, Any]:
    saved = document(widgets)["metadata"]["widgets"][STATE_MIME]["state"]
    return {comm_id: each["state"] for comm_id, each in saved.items()}


@pytest.fixture
def widgets() -> RestingWidgets:
    """A slider, and an output widget that captures in the second cell."""
    found = RestingWidgets(Limits(output_bytes=10_000))
    found.heard(opened("slider", "IntSliderModel", value=3))
    found.heard(opened("out", MODEL, MODULE, msg_id="cell"))
    assert found.take(printed("caught"))
    found.cell_ended(1)
    return found


def test_what_widgets_hold_last_is_kept(widgets: RestingWidgets) -> None:
    data = {"method": "update", "state": {"value": 8}}
    widgets.heard(message("comm_msg", comm_id="slider", data=data))
    assert widgets.take(printed(" more"))
    widgets.cell_ended(1)
    assert states(widgets)["slider"]["value"] == 8
    (output,) = states(widgets)["out"]["outputs"]
    assert output["text"] == "caught more"
    assert document(widgets)["metadata"]["kernelspec"] == {}


def test_a_notebook_without_widgets_stays_as_it_is() -> None:
    assert document(RestingWidgets(Limits(output_bytes=10))) == {
        "metadata": {"kernelspec": {}},
        "cells": [{"outputs": []}, {"outputs": []}],
    }


@pytest.mark.security
def test_what_was_typed_in_secret_is_not_kept(widgets: RestingWidgets) -> None:
    widgets.heard(opened("word", "PasswordModel", value="CANARY"))
    assert "word" in states(widgets)
    assert "CANARY" not in str(document(widgets))


def stays_in_its_cell(notebook: dict[str, Any]) -> bool:
    texts = [[each["text"] for each in cell["outputs"]] for cell in notebook["cells"]]
    return texts == [[], ["caught"]] and "widgets" not in notebook["metadata"]


def test_of_widgets_that_hold_too_much_the_captured_outputs_stay(
    widgets: RestingWidgets, caplog: pytest.LogCaptureFixture
) -> None:
    widgets.heard(opened("large", "HTMLModel", value="x" * 20_000))
    with caplog.at_level("INFO", logger=resting.__name__):
        assert stays_in_its_cell(document(widgets))
    assert "run.widgets_left_out" in caplog.text


def test_more_widgets_than_are_mirrored_cost_nothing_but_themselves(
    widgets: RestingWidgets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "MAX_WIDGETS", 2)
    widgets.heard(opened("one more", "LabelModel"))
    widgets.heard(opened("and another", "LabelModel"))
    widgets.cell_ended(1)
    assert stays_in_its_cell(document(widgets))


def test_widgets_that_change_without_end_are_followed_so_far_only(
    widgets: RestingWidgets,
) -> None:
    data = {"method": "update", "state": {"value": 8}}
    change = message("comm_msg", comm_id="slider", data=data)
    for _ in range(70):
        widgets.heard(change)
    assert "widgets" in document(widgets)["metadata"]
    for _ in range(20):
        widgets.heard(change)
    assert stays_in_its_cell(document(widgets))


def test_what_is_captured_counts_as_output(widgets: RestingWidgets) -> None:
    with pytest.raises(OutputLimitReached):
        widgets.take(printed("x" * 20_000))


DASHBOARD = """
import ipywidgets
days = ipywidgets.IntSlider(value=30, description="Days")
chart = ipywidgets.Output()
def show():
    chart.clear_output(wait=True)
    with chart:
        print("up to", days.value)
display(ipywidgets.VBox([days, chart]))
show()
days.value = 45
show()
"""


def test_a_run_shows_the_controls_of_its_notebook_as_they_were_left(host) -> None:
    outcome = host.run(DASHBOARD)
    assert outcome.status == "succeeded", outcome.last
    shown = render(outcome.last["notebook"])
    text = shown.html.decode()
    assert "<strong>Days</strong> 45" in text
    assert text.count("up to") == text.count("up to 45") == 1
    assert shown.notes == []


def test_a_run_that_fails_within_an_output_widget_keeps_what_it_caught(host) -> None:
    failing = "import os\nwith chart:\n    print('last words')\nos._exit(1)"
    outcome = host.run(DASHBOARD, failing)
    assert outcome.status == "kernel_died"
    assert "last words" in render(outcome.last["notebook"]).html.decode()


def test_widgets_that_write_without_end_are_stopped_as_cells_are(host) -> None:
    flood = "with chart:\n    while True: display('x' * 10_000)"
    outcome = host.run(DASHBOARD, flood, limits={"output_bytes": 200_000})
    assert outcome.status == "output_limit"
