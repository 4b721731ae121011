"""A page made anew from its record is the page that there was."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.live.mirror import STATE_MIME, Mirror
from runner.live.record import cell_entry, lasting, widget_entry
from runner.live.replay import Replay
from runner.live.screen import Screen
from runner.live.withheld import Withheld
from tests.runner.live.messages import told
from tests.runner.recorded import (
    DAYS,
    MAP,
    NOTE,
    PASSWORD,
    WARD,
    changed,
    entry,
    kept,
    mirror,
    opened,
    says,
    shown,
)

NOTEBOOK = {
    "cells": [
        {"cell_type": "code", "source": "", "metadata": {}, "outputs": []},
        {"cell_type": "markdown", "source": "words", "metadata": {}},
    ],
    "metadata": {"kernelspec": {"name": "python3"}},
}


def replayed(*entries: dict[str, Any]) -> Replay:
    made = Replay()
    for each in entries:
        made.take(json.loads(json.dumps(each)))
    return made


def widgets(made: Replay) -> dict[str, Any]:
    found = made.shown_in(NOTEBOOK)["metadata"]["widgets"][STATE_MIME]["state"]
    return {comm_id: each["state"] for comm_id, each in found.items()}


def outputs(made: Replay) -> list[Any]:
    return made.shown_in(NOTEBOOK)["cells"][0]["outputs"]


def test_cells_show_what_they_showed() -> None:
    first, second = says("a\n"), {"output_type": "display_data", "data": {"x": "1"}}
    changes = [
        shown(0, "started"),
        shown(0, "append", output=first),
        shown(0, "append", output=second),
        shown(0, "set", index=1, output={**second, "data": {"x": "2"}}),
        shown(0, "finished", status="ok"),
    ]
    assert outputs(replayed(*changes)) == [first, {**second, "data": {"x": "2"}}]
    assert outputs(replayed(*changes, shown(0, "clear"))) == []


def test_widgets_are_as_they_were() -> None:
    made = replayed(kept(0, opened(DAYS)), kept(0, changed(DAYS, value=9)))
    assert (widgets(made)[DAYS]["value"], widgets(made)[DAYS]["description"]) == (
        9,
        "Days",
    )
    made.take(kept(0, told("comm_close", {"comm_id": DAYS})))
    assert DAYS not in widgets(made)


def test_what_the_reader_did_is_seen_before_the_kernel_has_answered() -> None:
    made = replayed(kept(0, opened(DAYS)), kept(0, opened(WARD)))
    made.follow(entry(DAYS, value=7))
    made.follow(entry(WARD, index=1))
    assert (widgets(made)[DAYS]["value"], widgets(made)[WARD]["index"]) == (7, 1)
    made.take(kept(1, changed(DAYS, value=5)))
    assert widgets(made)[DAYS]["value"] == 5


def test_an_event_that_sets_nothing_changes_nothing() -> None:
    made = replayed(kept(0, opened(DAYS)))
    before = widgets(made)
    made.follow(entry(DAYS, event={"event": "click"}))
    made.follow(entry("go", value=1))
    assert widgets(made) == before


@pytest.mark.security
def test_a_password_is_nowhere_in_a_replay() -> None:
    made = replayed(
        kept(0, opened(PASSWORD)), kept(0, changed(PASSWORD, value="CANARY"))
    )
    made.follow(entry(PASSWORD, value="CANARY"))
    assert "CANARY" not in str(made.shown_in(NOTEBOOK))


def test_the_notebook_itself_is_left_as_it_is() -> None:
    before = json.dumps(NOTEBOOK)
    made = replayed(shown(0, "append", output=says("a"))).shown_in(NOTEBOOK)
    assert json.dumps(NOTEBOOK) == before
    assert made["cells"][1] == NOTEBOOK["cells"][1]
    assert made["metadata"]["kernelspec"] == {"name": "python3"}


STREAMS = st.builds(
    lambda name, text: {"output_type": "stream", "name": name, "text": text},
    st.sampled_from(["stdout", "stderr"]),
    st.text("ab\n", max_size=3),
)
DISPLAYS = st.builds(
    lambda data: {"output_type": "display_data", "data": data, "metadata": {}},
    st.dictionaries(
        st.sampled_from(["text/plain", "text/html", "application/javascript"]),
        st.just("x"),
    ),
)
ERRORS = st.just(
    {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["t"]}
)
OUTPUTS = STREAMS | DISPLAYS | ERRORS
EVENTS = st.fixed_dictionaries(
    {
        "cell": st.integers(0, 2),
        "event": st.sampled_from(
            ["cell_started", "cell_finished", "cell_waiting", "cell_resumed"]
            + ["output"] * 6
            + ["outputs_cleared"]
        ),
        "status": st.just("ok"),
        "output": OUTPUTS,
    }
) | st.fixed_dictionaries(
    {
        "cell": st.integers(0, 2),
        "event": st.just("output_updated"),
        "index": st.integers(-1, 4),
        "output": DISPLAYS,
    }
)


def plain(screen: Screen) -> list[Any]:
    """What a page that connects is shown, without cells that show nothing."""
    return [each for each in screen.whole() if each["change"] != "clear"]


@given(st.lists(EVENTS, max_size=30), st.sampled_from([None, "0A1B2C3D"]))
def test_whatever_cells_did_a_page_that_connects_to_the_replay_is_shown_the_same(
    events: list[dict[str, Any]], incident: str | None
) -> None:
    screen, replay = Screen(incident=incident), Replay()
    for event in events:
        change = screen.take(event)
        if change is not None:
            replay.take(json.loads(json.dumps(cell_entry(change))))
    assert plain(replay._screen) == plain(screen)


FRAMES = st.one_of(
    st.sampled_from([DAYS, NOTE, MAP]).map(opened),
    st.builds(
        lambda comm_id, state: changed(comm_id, **state),
        st.sampled_from([DAYS, NOTE, MAP]),
        st.dictionaries(st.sampled_from(["value", "note", "zoom"]), st.integers(0, 9)),
    ),
    st.builds(
        lambda data: changed(MAP, data, paths=[["bytes"]]), st.binary(max_size=4)
    ),
    st.just(DAYS).map(lambda comm_id: told("comm_close", {"comm_id": comm_id})),
)


@given(st.lists(FRAMES, max_size=20))
def test_whatever_widgets_did_the_replay_s_are_the_same(frames: list[Any]) -> None:
    live, replay = Mirror(), Replay()
    for frame in frames:
        live.heard(frame, size_bytes=1)
        state = live.state_of(frame.content["comm_id"])
        made = widget_entry(frame, state, Withheld())
        if made is not None:
            replay.take(json.loads(json.dumps(made)))
    assert replay._mirror.saved(Withheld()) == live.saved(Withheld())


MOVES = st.one_of(
    EVENTS.map(lambda event: ("cell", event)),
    FRAMES.map(lambda frame: ("widget", frame)),
)


@given(st.lists(st.tuples(st.integers(0, 1), MOVES), max_size=30))
def test_what_lasts_of_a_record_shows_every_step_as_all_of_it_does(
    moves: list[tuple[int, Any]],
) -> None:
    screen, live, step, entries = Screen(incident=None), Mirror(), 0, []
    for further, (kind, what) in moves:
        step += further
        if kind == "cell":
            change = screen.take(what)
            made = change and cell_entry(change)
        else:
            live.heard(what, size_bytes=1)
            state = live.state_of(what.content["comm_id"])
            made = widget_entry(what, state, Withheld())
        if made:
            entries.append({**made, "step": step})
    for end in range(step + 1):
        whole, short = (
            replayed(*(each for each in part if each["step"] <= end))
            for part in (entries, lasting(entries))
        )
        assert plain(short._screen) == plain(whole._screen)
        assert short._mirror.saved(Withheld()) == whole._mirror.saved(Withheld())


def test_of_what_moves_between_two_steps_one_picture_is_kept() -> None:
    moving = [kept(0, changed(DAYS, value=value)) for value in range(50)]
    printed = [
        change
        for text in ("a", "b", "c")
        for change in (shown(0, "clear"), shown(0, "append", output=says(text)))
    ]
    assert lasting([*moving, *printed]) == [moving[-1], *printed[-2:]]
    later = [*moving, kept(1, changed(DAYS, value=1))]
    assert lasting(later) == later[-2:]


def test_what_a_later_change_leaves_standing_is_kept() -> None:
    apart = [
        kept(0, changed(NOTE, value="a")),
        kept(0, changed(NOTE, rows=3)),
        kept(0, changed(MAP, b"one", paths=[["one"]])),
        kept(0, changed(MAP, b"two", paths=[["two"]])),
        shown(0, "append", output=says("a")),
        shown(0, "append", output=says("b")),
        shown(0, "clear", cell=1),
        shown(0, "set", index=0, output=says("c")),
        shown(0, "set", index=1, output=says("d")),
        shown(0, "started"),
    ]
    assert lasting(apart) == apart
    again = [{**each, "step": 1} for each in apart]
    assert lasting([*apart, *again]) == [*apart, *again]
    moved = [shown(1, "clear"), shown(1, "append", output=says("x"))]
    assert lasting([*moved, *moved]) == moved


def test_the_widgets_of_these_tests_are_those_of_the_page() -> None:
    assert mirror().state_of(DAYS)["value"] == 3
