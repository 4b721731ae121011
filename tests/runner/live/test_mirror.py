"""What a page is told of all widgets, without asking the kernel."""

import base64

import pytest

from runner.live import mirror
from runner.live.frames import Frame
from runner.live.mirror import STATE_MIME, Mirror, MirrorFull
from runner.live.traits import CONTROLS
from runner.live.withheld import Withheld
from tests.runner.live.messages import BUTTON, SLIDER, opened, told


def heard(*frames: Frame) -> Mirror:
    made = Mirror()
    for frame in frames:
        made.heard(frame, size_bytes=100)
    return made


def changed(
    comm_id: str, state: dict, *buffers: bytes, paths=(), method="update"
) -> Frame:
    data = {"method": method, "state": state, "buffer_paths": list(paths)}
    return told("comm_msg", {"comm_id": comm_id, "data": data}, buffers=buffers)


def state_of(made: Mirror, comm_id: str) -> dict:
    return made.states()[0]["states"][comm_id]["state"]


def test_all_widgets_are_told_as_a_kernel_tells_them() -> None:
    made = heard(opened(SLIDER), opened(BUTTON))
    data, buffers = made.states()
    assert (data["method"], buffers, data["buffer_paths"]) == ("update_states", (), [])
    assert data["states"].keys() == {SLIDER, BUTTON}
    entry = data["states"][SLIDER]
    assert (entry["model_name"], entry["model_module"]) == ("IntSliderModel", CONTROLS)
    assert made.targets() == {
        each: {"target_name": "jupyter.widget"} for each in (SLIDER, BUTTON)
    }


@pytest.mark.parametrize("method", ["update", "echo_update"])
def test_it_follows_what_changes(method: str) -> None:
    made = heard(opened(SLIDER), changed(SLIDER, {"value": 9}, method=method))
    assert (state_of(made, SLIDER)["value"], state_of(made, SLIDER)["max"]) == (9, 10)


def test_a_widget_that_is_closed_is_told_no_more() -> None:
    made = heard(opened(SLIDER), told("comm_close", {"comm_id": SLIDER}))
    assert made.states()[0]["states"] == {}


def test_a_comm_that_is_no_widget_s_is_not_told() -> None:
    made = heard(opened(SLIDER, target="another"), changed(SLIDER, {"value": 9}))
    assert made.states()[0]["states"] == {}


def test_buffers_stand_where_their_paths_say_and_give_way_to_new_ones() -> None:
    made = heard(
        opened(SLIDER),
        changed(
            SLIDER,
            {"image": {}, "other": {}},
            b"old",
            b"kept",
            paths=[["image", "a"], ["other"]],
        ),
        changed(SLIDER, {"image": {}}, b"new", paths=[["image", "b"]]),
    )
    data, buffers = made.states()
    assert data["buffer_paths"] == [
        [SLIDER, "state", "other"],
        [SLIDER, "state", "image", "b"],
    ]
    assert buffers == (b"kept", b"new")


def test_one_widget_is_told_as_a_kernel_tells_it() -> None:
    made = heard(opened(SLIDER), changed(SLIDER, {}, b"bytes", paths=[["image", "a"]]))
    told = made.state(SLIDER)
    assert told is not None
    data, buffers = told
    assert (data["method"], data["state"]["value"]) == ("update", 3)
    assert (data["buffer_paths"], buffers) == ([["image", "a"]], (b"bytes",))
    assert made.state("closed") is None


def test_what_is_left_can_be_shown_without_a_kernel() -> None:
    made = heard(opened(SLIDER), changed(SLIDER, {}, b"bytes", paths=[["image"]]))
    saved = made.saved(Withheld())[STATE_MIME]
    assert (saved["version_major"], saved["version_minor"]) == (2, 0)
    [buffer] = saved["state"][SLIDER]["buffers"]
    assert (buffer["path"], base64.b64decode(buffer["data"])) == (["image"], b"bytes")


def test_the_script_that_a_widget_brings_is_told_and_not_kept() -> None:
    script = {"_esm": "export default {}", "_css": "b { color: red }", "count": 2}
    made = heard(opened(SLIDER), changed(SLIDER, script))
    assert state_of(made, SLIDER).items() >= script.items()
    kept = made.saved(Withheld())[STATE_MIME]["state"][SLIDER]["state"]
    assert kept["count"] == 2
    assert not kept.keys() & {"_esm", "_css"}


@pytest.mark.security
def test_a_password_is_in_no_record() -> None:
    state = {
        "_model_module": CONTROLS,
        "_model_name": "PasswordModel",
        "value": "CANARY",
    }
    content = {
        "comm_id": "p",
        "target_name": "jupyter.widget",
        "data": {"state": state},
    }
    made = heard(told("comm_open", content))
    assert "CANARY" in str(made.states())
    assert "CANARY" not in str(made.saved(Withheld()))


@pytest.mark.security
def test_what_is_withheld_is_not_saved_in_buffers_either() -> None:
    paths = [["value", 0, "content"], ["icon"]]
    made = heard(
        told(
            "comm_open",
            {
                "comm_id": "u",
                "target_name": "jupyter.widget",
                "data": {
                    "state": {
                        "_model_module": CONTROLS,
                        "_model_name": "FileUploadModel",
                        "value": [{"name": "CANARY.csv"}],
                    },
                    "buffer_paths": paths,
                },
            },
            buffers=(b"rows", b"icon"),
        )
    )
    entry = made.saved(Withheld(declared=True))[STATE_MIME]["state"]["u"]
    assert "CANARY" not in str(entry)
    assert [each["path"] for each in entry["buffers"]] == [["icon"]]


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"comm_id": 1},
        {"comm_id": SLIDER},
        {"comm_id": SLIDER, "data": []},
        {"comm_id": SLIDER, "data": {"state": 1}},
        {"comm_id": SLIDER, "data": {"state": {}, "buffer_paths": 1}},
        {"comm_id": SLIDER, "data": {"state": {}, "buffer_paths": [1, [], [2]]}},
    ],
)
def test_odd_messages_of_a_kernel_change_nothing(content: dict) -> None:
    made = heard(opened(SLIDER))
    before = made.states()
    made.heard(told("comm_msg", content), size_bytes=10)
    assert made.states() == before


def test_widgets_that_hold_too_much_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mirror, "MAX_BYTES", 2_000)
    made = heard(opened(SLIDER))
    for _ in range(100):  # much was said, and little of it is held
        made.heard(changed(SLIDER, {"value": 1}), size_bytes=500)
    with pytest.raises(MirrorFull):
        made.heard(changed(SLIDER, {"text": "x" * 3_000}), size_bytes=3_000)


def test_too_many_widgets_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "MAX_WIDGETS", 1)
    with pytest.raises(MirrorFull):
        heard(opened(SLIDER), opened(BUTTON))


@pytest.mark.parametrize(
    "state",
    [
        {"_model_name": [], "_model_module": {}},
        {"_model_name": None},
        {"_model_module": 1},
    ],
)
def test_odd_names_of_a_kernel_break_no_record(state: dict) -> None:
    content = {
        "comm_id": "x",
        "target_name": "jupyter.widget",
        "data": {"state": state},
    }
    assert heard(told("comm_open", content)).saved(Withheld())


def test_a_path_that_is_none_is_no_path() -> None:
    made = heard(opened(SLIDER), changed(SLIDER, {"x": 1}, b"b", paths=[["x", ["y"]]]))
    assert made.states()[1] == ()


def test_names_weigh_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "MAX_BYTES", 10_000)
    made = heard(opened(SLIDER))
    long = {"comm_id": "x" * 1_000, "target_name": "jupyter.widget", "data": {}}
    made.heard(told("comm_open", long), size_bytes=1_000)
    assert "x" * 1_000 not in made.targets()
    frames = [told("comm_open", {**long, "comm_id": f"w-{n}"}) for n in range(100)]
    with pytest.raises(MirrorFull):
        heard_all(made, frames)


def heard_all(made: Mirror, frames: list[Frame]) -> None:
    for frame in frames:
        made.heard(frame, size_bytes=1_000)


def test_what_takes_the_place_of_something_does_not_weigh_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mirror, "MAX_BYTES", 10_000)
    made = heard(opened(SLIDER))
    for n in range(5):
        made.heard(changed(SLIDER, {"text": str(n) * 6_000}), size_bytes=6_100)
    assert state_of(made, SLIDER)["text"] == "4" * 6_000
