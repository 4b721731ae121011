"""Outputs are rebuilt from checked parts, within limits, and what is cut says so."""

import json

import pytest

from runner.kernelhost.messages import output_from
from runner.kernelhost.outputs import (
    FLOOD_FACTOR,
    MAX_DISPLAY_UPDATES,
    OutputCollector,
    OutputLimitReached,
)
from runner.kernelhost.protocol import Limits


def collector(**limits):
    events = []
    made = OutputCollector(Limits(**limits), events.append)
    made.events = events
    return made


def test_a_cell_that_is_run_anew_may_put_out_as_much_again():
    made = collector(output_bytes=1_000, output_bytes_per_cell=900)
    for _ in range(50):
        made.add(0, "stream", stream("x" * 800))
        made.forget(0)
    made.add(0, "stream", stream("x" * 1_000))
    assert made.cell(0).cut
    made.forget(0)
    assert (made.cell(0).cut, made.truncated) == (False, [])
    assert made.events[-1] == {"event": "outputs_cleared", "cell": 0}


def stream(text, name="stdout"):
    return {"name": name, "text": text}


def display(text, display_id=None):
    content = {"data": {"text/plain": text}, "metadata": {}}
    return content | ({"transient": {"display_id": display_id}} if display_id else {})


def add_all(made, messages):
    for message in messages:
        made.add(*message)


def outputs(made, cell=0):
    return dict(made.finished())[cell]


def test_consecutive_streams_of_one_name_are_one_output():
    made = collector()
    for text in ("a", "b", "c"):
        made.add(0, "stream", stream(text))
    made.add(0, "stream", stream("!", "stderr"))
    made.add(0, "stream", stream("d"))
    assert [(item["name"], item["text"]) for item in outputs(made)] == [
        ("stdout", "abc"),
        ("stderr", "!"),
        ("stdout", "d"),
    ]
    assert len(made.events) == 5


def test_output_beyond_the_cell_limit_is_cut_with_a_visible_mark():
    made = collector(output_bytes_per_cell=2000)
    for _ in range(10):
        made.add(0, "stream", stream("x" * 500))
    text = "".join(item["text"] for item in outputs(made))
    assert "cut at 2,000 bytes" in text
    assert text.count("x") <= 2000
    assert made.truncated[0]["cell"] == 0


def test_other_cells_still_write_after_one_was_cut():
    made = collector(output_bytes_per_cell=2000)
    made.add(0, "stream", stream("x" * 3000))
    made.add(1, "stream", stream("fine"))
    assert outputs(made, 1)[0]["text"] == "fine"


def test_an_error_is_kept_even_when_its_cell_is_full():
    made = collector(output_bytes_per_cell=2000)
    made.add(0, "stream", stream("x" * 3000))
    error = {"ename": "ValueError", "evalue": "v" * 5000, "traceback": ["t" * 5000] * 9}
    made.add(0, "error", error)
    assert outputs(made)[-1]["ename"] == "ValueError"


@pytest.mark.parametrize(
    ("limits", "count"), [({"output_bytes": 3000}, 100), ({"outputs": 3}, 10)]
)
def test_output_beyond_the_run_limit_stops_the_run(limits, count):
    made = collector(**limits)
    messages = [
        (index % 7, "display_data", display("x" * 100)) for index in range(count)
    ]
    with pytest.raises(OutputLimitReached):
        add_all(made, messages)
    assert "cut at" in json.dumps(outputs(made, made.truncated[0]["cell"]))


def test_a_flood_into_a_cell_that_was_cut_stops_the_run_in_the_end():
    made = collector(output_bytes_per_cell=1000, output_bytes=10_000)
    messages = [(0, "stream", stream("x" * 1000))] * (FLOOD_FACTOR * 10 + 1)
    with pytest.raises(OutputLimitReached):
        add_all(made, messages)


def test_an_update_replaces_the_display_wherever_it_is():
    made = collector()
    made.add(0, "display_data", display("old", "d"))
    made.add(1, "display_data", display("old", "d"))
    made.add(2, "update_display_data", display("new", "d"))
    assert outputs(made, 0)[0]["data"] == {"text/plain": "new"}
    assert outputs(made, 1)[0]["data"] == {"text/plain": "new"}
    assert [event["event"] for event in made.events[-2:]] == ["output_updated"] * 2


def test_a_display_shown_again_under_its_name_changes_the_earlier_ones():
    made = collector()
    made.add(0, "display_data", display("1", "d"))
    made.add(1, "display_data", display("2", "d"))
    made.add(1, "clear_output", {"wait": True})
    made.add(1, "display_data", display("3", "d"))
    assert outputs(made, 0)[0]["data"] == {"text/plain": "3"}
    assert [item["data"] for item in outputs(made, 1)] == [{"text/plain": "3"}]
    assert made.total_bytes == sum(cell.bytes for cell in made.cells.values())
    # What the third clears away is not changed before.
    updated = [each for each in made.events if each["event"] == "output_updated"]
    assert [each["cell"] for each in updated] == [0, 0]


@pytest.mark.parametrize("msg_type", ["display_data", "update_display_data"])
def test_a_message_that_changes_many_places_counts_as_many(msg_type):
    made = collector(outputs=1000, output_bytes=200_000)
    for index in range(100):
        made.add(index, "display_data", display("old", "d"))
        made.displays["d"] = made.displays["d"][-1:]
    made.displays["d"] *= 100
    with pytest.raises(OutputLimitReached):
        add_all(made, [(0, msg_type, display("n", "d"))] * 20)


def test_an_output_that_was_cleared_meanwhile_is_changed_no_more():
    made = collector(output_bytes_per_cell=2000)
    made.add(0, "display_data", display("x" * 700, "d"))
    made.add(0, "display_data", display("x" * 700, "d"))
    made.add(0, "clear_output", {"wait": True})
    made.add(0, "update_display_data", display("y" * 1700, "d"))
    assert "cut at 2,000 bytes" in outputs(made)[0]["text"]
    assert (made.cell(0).bytes, made.total_bytes) == (0, 0)


def test_updates_without_end_stop_the_run():
    made = collector()
    made.add(0, "display_data", display("old", "d"))
    messages = [(0, "update_display_data", display("n", "d"))] * (
        MAX_DISPLAY_UPDATES + 1
    )
    with pytest.raises(OutputLimitReached):
        add_all(made, messages)


def test_an_update_cannot_grow_past_the_limit():
    made = collector(output_bytes_per_cell=2000)
    made.add(0, "display_data", display("small", "d"))
    made.add(0, "update_display_data", display("x" * 5000, "d"))
    assert outputs(made)[0]["data"] == {"text/plain": "small"}
    assert made.truncated


def test_clear_output_empties_the_cell_at_once():
    made = collector()
    made.add(0, "stream", stream("gone"))
    made.add(0, "clear_output", {"wait": False})
    assert outputs(made) == []
    assert made.total_bytes == 0


def test_clear_output_can_wait_for_the_next_output():
    made = collector()
    made.add(0, "stream", stream("gone"))
    made.add(0, "clear_output", {"wait": True})
    assert outputs(made)[0]["text"] == "gone"
    made.add(0, "stream", stream("kept"))
    assert [item["text"] for item in outputs(made)] == ["kept"]


def test_lone_surrogates_and_nan_become_valid_json():
    made = collector()
    content = {
        "data": {
            "application/json": {"a": float("nan"), "b": "\ud800", "c": [float("inf")]}
        },
        "metadata": {},
    }
    made.add(0, "display_data", content)
    assert outputs(made)[0]["data"]["application/json"] == {
        "a": None,
        "b": "?",
        "c": [None],
    }
    json.dumps(outputs(made), allow_nan=False).encode()


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("msg_type", "content", "expected"),
    [
        (
            "stream",
            {"name": "../x", "text": 5},
            {"output_type": "stream", "name": "stdout", "text": "5"},
        ),
        (
            "display_data",
            {"data": "no"},
            {"output_type": "display_data", "data": {}, "metadata": {}},
        ),
        (
            "display_data",
            {"data": {"a": nested(100)}},
            {"output_type": "display_data", "data": {}, "metadata": {}},
        ),
        (
            "display_data",
            {"data": {"a/b": {"c": 1}, "text/x": ["1"], "application/y+json": [1]}},
            {
                "output_type": "display_data",
                "data": {"a/b": '{"c": 1}', "text/x": ["1"], "application/y+json": [1]},
                "metadata": {},
            },
        ),
        (
            "execute_result",
            {"data": {}, "execution_count": 10**30},
            {
                "output_type": "execute_result",
                "data": {},
                "metadata": {},
                "execution_count": None,
            },
        ),
        (
            "error",
            {"ename": None, "traceback": "x"},
            {"output_type": "error", "ename": "None", "evalue": "", "traceback": []},
        ),
        ("comm_open", {}, None),
        ("invented", {}, None),
    ],
)
def test_forged_messages_are_reduced_to_what_is_valid(msg_type, content, expected):
    assert output_from(msg_type, content) == expected
