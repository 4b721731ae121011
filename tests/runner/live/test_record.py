"""An entry of the record says by itself what was done, and no more than may be kept."""

import pytest

from runner.live import record
from tests.runner.recorded import DAYS, GO, MAP, NOTE, PASSWORD, WARD, entry


def test_it_names_the_control_and_what_it_was_set_to() -> None:
    kept = entry(DAYS, value=8)
    assert (kept["label"], kept["model"]) == ("Days", "IntSliderModel")
    assert (kept["values"], kept["chosen"], kept["withheld"]) == ({"value": 8}, {}, [])


@pytest.mark.parametrize(
    ("place", "names"), [(1, ["B2"]), (None, []), (7, []), ([0, 1], ["A1", "B2"])]
)
def test_it_names_the_choice_as_the_list_was_then(
    place: object, names: list[str]
) -> None:
    assert entry(WARD, index=place)["chosen"] == {"index": names}


def test_a_list_of_choices_is_told_up_to_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(record, "MAX_CHOSEN", 3)
    assert len(entry(WARD, index=[0] * 10)["chosen"]["index"]) == 3


@pytest.mark.security
def test_a_password_is_withheld_and_its_submission_is_not() -> None:
    kept = entry(PASSWORD, value="CANARY")
    assert "CANARY" not in str(kept)
    assert (kept["values"], kept["withheld"]) == ({}, ["value"])
    assert entry(PASSWORD, event={"event": "submit"})["withheld"] == []


def test_of_a_long_value_the_length_is_kept_and_short_ones_beside_it_stay() -> None:
    kept = entry(MAP, note="x" * record.MAX_VALUE_BYTES, zoom=4)
    assert kept["values"] == {"zoom": 4}
    assert kept["size_bytes"] == {"note": record.MAX_VALUE_BYTES + 2}
    almost = entry(NOTE, value="x" * (record.MAX_VALUE_BYTES - 2))
    assert almost["size_bytes"] == {}


def test_a_control_of_which_nothing_is_known_has_no_name() -> None:
    assert entry(MAP, zoom=4)["label"] == ""
    assert entry(GO, event={"event": "click"})["values"] == {
        "event": {"event": "click"}
    }
