"""What no record keeps: passwords, and what the author has called sensitive."""

from typing import Any

import pytest

from runner.live.traits import CONTROLS, OUTPUT
from runner.live.withheld import Withheld

pytestmark = pytest.mark.security


def among(withheld: Withheld, *traits: str, comm_id: str = "w", **state: Any) -> set:
    return set(withheld.among(traits, comm_id=comm_id, state=state))


def control(model: str, description: str = "") -> dict[str, Any]:
    return {
        "_model_module": CONTROLS,
        "_model_name": f"{model}Model",
        "description": description,
    }


def test_a_password_is_withheld_without_being_asked() -> None:
    assert among(Withheld(), "value", "layout", **control("Password")) == {"value"}
    assert among(Withheld(), "value", **control("Text")) == set()
    assert not Withheld().is_declared


@pytest.mark.parametrize(
    ("model", "trait"),
    [
        ("Text", "value"),
        ("Dropdown", "index"),
        ("Tab", "selected_index"),
        ("FileUpload", "value"),
        ("Password", "value"),
    ],
)
def test_where_everything_is_sensitive_every_control_is(model: str, trait: str) -> None:
    withheld = Withheld(declared=True)
    assert among(withheld, trait, "max", "_options_labels", **control(model)) == {trait}
    assert withheld.is_declared


def test_what_code_shows_is_no_control() -> None:
    withheld = Withheld(declared=True)
    assert among(withheld, "value", **control("HTML")) == set()
    outputs = {"_model_module": OUTPUT, "_model_name": "OutputModel"}
    assert among(withheld, "outputs", **outputs) == set()


def test_of_other_libraries_everything_may_be_what_a_reader_set() -> None:
    state = {"_model_module": "jupyter-leaflet", "_model_name": "LeafletMapModel"}
    kept = Withheld(declared=True).kept({**state, "zoom": 4}, comm_id="w", state=state)
    assert kept == state


def test_a_name_makes_its_controls_sensitive_and_no_others() -> None:
    withheld = Withheld(["Patient"])
    assert among(withheld, "value", **control("Text", " Patient ")) == {"value"}
    assert among(withheld, "value", comm_id="x", **control("Text", "Ward")) == set()
    assert withheld.is_declared


def test_a_control_that_was_sensitive_once_stays_so() -> None:
    withheld = Withheld(["Patient"])
    assert among(withheld, "value", **control("Text", "Patient")) == {"value"}
    assert among(withheld, "value", **control("Text", "Patient (1)")) == {"value"}
