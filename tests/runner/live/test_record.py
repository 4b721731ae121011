"""An entry of the record says by itself what was done, and no more than may be kept."""

import base64
from typing import Any

import pytest

from runner.live import record
from runner.live.comms import WIDGET_TARGET
from runner.live.frames import Frame
from runner.live.mirror import placed
from runner.live.record import cell_entry, widget_entry
from runner.live.withheld import VIEW_MIME, Withheld, without_words
from tests.runner.live.messages import told
from tests.runner.recorded import (
    DAYS,
    GO,
    MAP,
    NOTE,
    PASSWORD,
    WARD,
    changed,
    entry,
    mirror,
    opened,
)


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


def widget(frame: Frame, declared: Any = ()) -> Any:
    """What is kept of a kernel's message, without its frame."""
    state = mirror().state_of(str(frame.content["comm_id"]))
    made = widget_entry(frame, state, Withheld(declared))
    return made and made["widget"]


def test_what_pages_are_told_of_a_widget_is_kept() -> None:
    made = widget(opened(DAYS))
    assert made["msg_type"] == "comm_open"
    assert made["content"]["target_name"] == WIDGET_TARGET
    assert made["content"]["data"]["state"]["value"] == 3
    assert widget(changed(DAYS, value=9))["content"]["data"]["state"] == {"value": 9}
    assert widget(told("comm_close", {"comm_id": DAYS}))["msg_type"] == "comm_close"


def test_the_code_that_a_widget_brings_along_is_not() -> None:
    """Each of plotly's figures has five megabytes of it."""
    told_too = widget(changed(MAP, _esm="export default {}", _css="b {}", zoom=3))
    assert told_too["content"]["data"]["state"] == {"zoom": 3}


def test_a_message_that_says_nothing_of_a_state_is_not_kept() -> None:
    data = {"method": "custom", "content": {"x": 1}}
    assert widget(told("comm_msg", {"comm_id": MAP, "data": data})) is None
    assert widget(told("status", {"comm_id": DAYS})) is None
    assert widget(told("comm_msg", {"comm_id": DAYS, "data": "hostile"})) is None


@pytest.mark.security
@pytest.mark.parametrize(
    ("comm_id", "declared", "trait"),
    [(PASSWORD, (), "value"), (NOTE, ["Note"], "value"), (MAP, True, "zoom")],
)
def test_what_is_withheld_is_kept_neither_in_events_nor_in_changes(
    comm_id: str, declared: Any, trait: str
) -> None:
    held = {trait: "CANARY"}
    path = [[trait, "inner"]]
    for made in (
        widget(changed(comm_id, **held), declared),
        widget(changed(comm_id, b"CANARY", paths=path), declared),
        entry(comm_id, withheld=Withheld(declared), **held),
    ):
        assert "CANARY" not in str(made)
    buffers = widget(changed(comm_id, b"CANARY", paths=path), declared)["buffers"]
    assert buffers == []


def test_buffers_stand_beside_their_paths() -> None:
    frame = changed(MAP, b"one", b"two", paths=[["a"], ["b", 0]])
    made = widget(frame)
    assert made["content"]["data"]["buffer_paths"] == [["a"], ["b", 0]]
    assert made["buffers"] == ["b25l", "dHdv"]


@pytest.mark.parametrize("paths", ["hostile", [[]], [[3]], [None]])
def test_hostile_paths_take_nothing_with_them(paths: Any) -> None:
    data = {"state": {"value": 1}, "buffer_paths": paths}
    made = widget(told("comm_msg", {"comm_id": DAYS, "data": data}, buffers=(b"x",)))
    assert (made["content"]["data"]["state"], made["buffers"]) == ({"value": 1}, [])


@pytest.mark.security
def test_the_words_beside_a_widget_which_say_its_value_are_left_out() -> None:
    view = {VIEW_MIME: {"model_id": NOTE}, "text/plain": "Textarea(value='CANARY')"}
    output = {"output_type": "display_data", "data": view, "metadata": {}}
    made = cell_entry({"cell": 0, "change": "append", "output": output})
    assert "CANARY" not in str(made)
    assert made["cell"]["output"]["data"] == {VIEW_MIME: {"model_id": NOTE}}
    inner = widget(changed(NOTE, outputs=[output]))
    assert "CANARY" not in str(inner)
    plain = {**output, "data": {"text/plain": "rows"}}
    assert (
        cell_entry({"cell": 0, "change": "append", "output": plain})["cell"]["output"]
        == plain
    )


def test_the_picture_beside_a_widget_stays_since_it_is_all_that_a_result_has() -> None:
    view = {VIEW_MIME: {"model_id": MAP}, "image/png": "aGk=", "text/html": "CANARY"}
    output = {"output_type": "display_data", "data": view, "metadata": {}}
    kept = without_words(output)["data"]
    assert kept == {VIEW_MIME: {"model_id": MAP}, "image/png": "aGk="}


@pytest.mark.security
def test_a_buffer_is_kept_under_its_own_path_or_not_at_all() -> None:
    """A path that can be none must not move the buffers after it to other names."""
    data = {"state": {}, "buffer_paths": [[], ["b"], 3, ["c"]]}
    frame = told("comm_msg", {"comm_id": MAP, "data": data}, buffers=(b"1", b"2", b"3"))
    found = widget(frame)
    assert found["content"]["data"]["buffer_paths"] == [["b"]]
    assert [base64.b64decode(each) for each in found["buffers"]] == [b"2"]
    assert placed([[], ["b"], 3, ["c"]], (b"1", b"2", b"3")) == {("b",): b"2"}
