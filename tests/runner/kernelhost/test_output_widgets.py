"""Output widgets: who captures what, within bounds, whatever a kernel says."""

import time
from typing import Any

import pytest

from runner.kernelhost.output_widgets import MODEL, MODULE, OutputWidgets
from runner.kernelhost.outputs import OutputLimitReached

Told = dict[str, list[dict[str, Any]]]


@pytest.fixture
def told() -> Told:
    return {}


@pytest.fixture
def widgets(told: Told) -> OutputWidgets:
    made = OutputWidgets(max_bytes=10_000, max_outputs=100, tell=told.__setitem__)
    for name in ("outer", "inner"):
        state = {"_model_module": MODULE, "_model_name": MODEL, "msg_id": ""}
        made.heard(message("comm_open", {"comm_id": name, "data": {"state": state}}))
    return made


def message(kind: str, content: Any, parent: Any = "p") -> dict[str, Any]:
    return {"msg_type": kind, "content": content, "parent_header": {"msg_id": parent}}


def listens(widgets: OutputWidgets, name: str, msg_id: Any) -> None:
    widgets.heard(
        message("comm_msg", {"comm_id": name, "data": {"state": {"msg_id": msg_id}}})
    )


def printed(text: str, parent: Any = "p") -> dict[str, Any]:
    return message("stream", {"name": "stdout", "text": text}, parent)


def displayed(kind: str, text: str, name: str) -> dict[str, Any]:
    content = {
        "data": {"text/plain": text},
        "metadata": {},
        "transient": {"display_id": name},
    }
    return message(kind, content)


def texts(told: Told, name: str) -> list[str]:
    return [
        each.get("text") or each["data"]["text/plain"] for each in told.get(name, [])
    ]


def test_what_nobody_listens_to_is_not_taken(widgets: OutputWidgets) -> None:
    assert not widgets.take(printed("1"))
    listens(widgets, "outer", "p")
    assert not widgets.take(printed("1", "other"))
    assert not widgets.take(printed("1", None))


def test_the_inner_of_two_gets_it_and_then_the_outer_again(
    widgets: OutputWidgets, told: Told
) -> None:
    listens(widgets, "outer", "p")
    assert widgets.take(printed("a"))
    listens(widgets, "inner", "p")
    assert widgets.take(printed("b"))
    listens(widgets, "inner", "")
    assert widgets.take(printed("c"))
    widgets.flush()
    assert (texts(told, "outer"), texts(told, "inner")) == (["ac"], ["b"])


def test_changes_are_told_together_and_only_once(
    widgets: OutputWidgets, told: Told
) -> None:
    listens(widgets, "outer", "p")
    for letter in "abc":
        widgets.take(printed(letter))
    assert told == {}
    widgets.flush()
    assert texts(told, "outer") == ["abc"]
    told.clear()
    widgets.flush()
    assert told == {}


def test_what_was_told_does_not_change_afterwards(
    widgets: OutputWidgets, told: Told
) -> None:
    listens(widgets, "outer", "p")
    widgets.take(printed("a"))
    widgets.flush()
    before = list(told["outer"])
    widgets.take(printed("b"))
    assert before[0]["text"] == "a"


def test_it_is_cleared_at_once_or_by_what_comes_next(
    widgets: OutputWidgets, told: Told
) -> None:
    listens(widgets, "outer", "p")
    widgets.take(printed("a"))
    widgets.take(message("clear_output", {"wait": True}))
    widgets.flush()
    assert texts(told, "outer") == ["a"]
    widgets.take(printed("b"))
    widgets.flush()
    assert texts(told, "outer") == ["b"]
    widgets.take(message("clear_output", {"wait": False}))
    widgets.flush()
    assert told["outer"] == []


def test_a_display_in_it_is_updated(widgets: OutputWidgets, told: Told) -> None:
    listens(widgets, "outer", "p")
    widgets.take(displayed("display_data", "before", "d"))
    widgets.take(displayed("update_display_data", "after", "d"))
    widgets.take(displayed("update_display_data", "other", "unknown"))
    widgets.flush()
    assert texts(told, "outer") == ["after"]


def test_a_widget_that_is_closed_listens_no_more(
    widgets: OutputWidgets, told: Told
) -> None:
    listens(widgets, "outer", "p")
    widgets.take(printed("a"))
    widgets.heard(message("comm_close", {"comm_id": "outer"}))
    assert not widgets.take(printed("b"))
    widgets.flush()
    assert told == {}


def test_together_they_hold_no_more_than_a_run_may_put_out(
    widgets: OutputWidgets,
) -> None:
    listens(widgets, "outer", "p")
    widgets.take(printed("x" * 9_000))
    widgets.take(message("clear_output", {}))
    widgets.take(printed("x" * 9_000))
    listens(widgets, "inner", "p")
    with pytest.raises(OutputLimitReached):
        widgets.take(printed("x" * 9_000))


def test_nor_more_outputs(widgets: OutputWidgets) -> None:
    listens(widgets, "outer", "p")
    shown = message("display_data", {"data": {"text/plain": "1"}})
    for _ in range(3):
        for _ in range(100):
            widgets.take(shown)
        widgets.take(message("clear_output", {}))
    for _ in range(100):
        widgets.take(shown)
    with pytest.raises(OutputLimitReached):
        widgets.take(shown)


@pytest.mark.parametrize(
    "odd",
    [
        {"comm_id": 1},
        {"comm_id": "outer", "data": 1},
        {"comm_id": "outer", "data": {"state": 1}},
        {"comm_id": "outer", "data": {"state": {"msg_id": 1}}},
        {"comm_id": "nobody", "data": {"state": {"msg_id": "p"}}},
        {"comm_id": "outer", "data": {"state": {"msg_id": ""}}},
    ],
)
def test_odd_messages_make_nobody_listen(
    widgets: OutputWidgets, odd: dict[str, Any]
) -> None:
    widgets.heard(message("comm_msg", odd))
    assert not widgets.take(printed("1"))


def test_what_is_no_output_is_taken_and_adds_nothing(
    widgets: OutputWidgets, told: Told
) -> None:
    listens(widgets, "outer", "p")
    assert widgets.take(message("unheard_of", {}))
    widgets.flush()
    assert told["outer"] == []


def test_much_text_in_small_pieces_costs_no_more_than_its_length(
    told: Told,
) -> None:
    """Text is joined when it is told: joined at each piece, this takes a minute of the host's."""
    large = OutputWidgets(
        max_bytes=50_000_000, max_outputs=1_000_000, tell=told.__setitem__
    )
    state = {"_model_module": MODULE, "_model_name": MODEL, "msg_id": "p"}
    large.heard(message("comm_open", {"comm_id": "out", "data": {"state": state}}))
    began = time.process_time()
    for _ in range(20_000):
        large.take(printed("x" * 1000))
    large.flush()
    assert time.process_time() - began < 5
    assert [len(text) for text in texts(told, "out")] == [20_000_000]


def test_pieces_of_text_stay_where_they_were_printed(
    widgets: OutputWidgets, told: Told
) -> None:
    listens(widgets, "outer", "p")
    for each in (
        *(printed("a"), printed("b"), displayed("display_data", "shown", "name")),
        *(printed("c"), printed("d")),
    ):
        widgets.take(each)
    widgets.flush()
    assert texts(told, "outer") == ["ab", "shown", "cd"]
    for each in (printed("e"), message("clear_output", {}), printed("f")):
        widgets.take(each)
    widgets.flush()
    assert texts(told, "outer") == ["f"]
