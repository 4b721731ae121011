"""What a page is told of cells: each change once, everything anew, nothing that quotes the code."""

from typing import Any

import pytest

from runner.live.screen import Screen

INCIDENT = "0A1B2C3D"


def out(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def shown(data: str) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {"text/plain": data}, "metadata": {}}


ERROR = {
    "output_type": "error",
    "ename": "KeyError",
    "evalue": "secret",
    "traceback": ["secret"],
}


def event(name: str, **fields: Any) -> dict[str, Any]:
    return {"event": name, "cell": 0, **fields}


def screen(
    *outputs: dict[str, Any], incident: str | None = INCIDENT
) -> tuple[Screen, list[Any]]:
    made = Screen(incident=incident)
    return made, [made.take(event("output", output=output)) for output in outputs]


def whole(made: Screen) -> list[Any]:
    return [
        change.get("output") for change in made.whole() if change["change"] == "append"
    ]


def test_each_output_is_told_once_and_all_of_them_anew() -> None:
    made, told = screen(out("a\n"), out("b\n"), shown("1"))
    assert [change["output"] for change in told] == [out("a\n"), out("b\n"), shown("1")]
    assert whole(made) == [out("a\nb\n"), shown("1")]


def test_a_reader_hears_of_a_failure_by_its_incident_alone() -> None:
    made, [told, hidden] = screen(ERROR, out("secret", "stderr"))
    assert hidden is None
    assert "secret" not in str(told)
    assert INCIDENT in str(told)
    assert "secret" not in str(list(made.whole()))


def test_who_may_read_the_code_is_told_all() -> None:
    _, told = screen(ERROR, out("note", "stderr"), incident=None)
    assert [change["output"] for change in told] == [ERROR, out("note", "stderr")]


def test_an_update_finds_its_place_though_others_are_not_told() -> None:
    made, _ = screen(
        out("hidden", "stderr"),
        shown("first"),
        out("hidden", "stderr"),
        shown("second"),
    )
    told = made.take(event("output_updated", index=3, output=shown("new")))
    assert told == {"cell": 0, "change": "set", "index": 1, "output": shown("new")}
    assert whole(made) == [shown("first"), shown("new")]


def test_text_that_only_something_hidden_parted_is_one_piece() -> None:
    made, _ = screen(out("a"), out("hidden", "stderr"), out("b"), shown("last"))
    told = made.take(event("output_updated", index=3, output=shown("new")))
    assert (told["index"], whole(made)) == (1, [out("ab"), shown("new")])


@pytest.mark.parametrize("place", [-1, 5])
def test_an_update_of_what_is_not_there_is_told_to_nobody(place: int) -> None:
    made, _ = screen(shown("1"))
    assert made.take(event("output_updated", index=place, output=shown("2"))) is None


def test_what_was_cleared_is_not_shown_again() -> None:
    made, _ = screen(shown("1"))
    assert made.take(event("outputs_cleared")) == {"cell": 0, "change": "clear"}
    assert whole(made) == []


def test_a_page_is_told_how_each_cell_stands() -> None:
    made = Screen(incident=INCIDENT)
    assert made.take(event("cell_started")) == {"cell": 0, "change": "started"}
    assert made.take(event("cell_waiting")) == {"cell": 0, "change": "waiting"}
    assert [each["change"] for each in made.whole()] == ["clear", "waiting"]
    assert made.take(event("cell_resumed")) == {"cell": 0, "change": "resumed"}
    assert [each["change"] for each in made.whole()] == ["clear", "started"]
    made.take(event("cell_finished", status="ok"))
    assert [each["change"] for each in made.whole()] == ["clear", "finished"]


def test_events_of_no_cell_are_told_to_nobody() -> None:
    made = Screen(incident=INCIDENT)
    assert made.take({"event": "heartbeat"}) is None
    assert made.take({"event": "statement", "cell": 0}) is None
