"""A widget that libraries fill with the next messages is told once, as it is when something else is said."""

from typing import Any

import pytest

from runner.live.frames import Frame
from runner.live.opening import Opening
from tests.runner.live.messages import BUTTON, SLIDER, opened, told


def changed(
    comm_id: str, state: Any, *buffers: bytes, paths: Any = (), method: str = "update"
) -> Frame:
    data = {"method": method, "state": state, "buffer_paths": list(paths)}
    return told("comm_msg", {"comm_id": comm_id, "data": data}, buffers=buffers)


def said(*frames: Frame) -> list[Frame]:
    """What is told of these, and in the end what was held back."""
    opening = Opening()
    heard = [each for frame in frames for each in opening.take(frame)]
    return [*heard, *opening.rest()]


def state_of(frame: Frame) -> dict[str, Any]:
    found: dict[str, Any] = frame.content["data"]["state"]
    return found


def test_what_fills_a_new_widget_is_told_with_it() -> None:
    (only,) = said(opened(SLIDER), changed(SLIDER, {"value": 8}), changed(SLIDER, {}))
    assert only.msg_type == "comm_open"
    assert (state_of(only)["value"], state_of(only)["max"]) == (8, 10)


def test_buffers_come_along_and_give_way_to_newer_ones() -> None:
    (only,) = said(
        opened(SLIDER),
        changed(SLIDER, {"x": {}, "y": {}}, b"1", b"2", paths=[["x", "v"], ["y"]]),
        changed(SLIDER, {"x": {}}, b"3", paths=[["x", "w"]]),
    )
    assert only.content["data"]["buffer_paths"] == [["y"], ["x", "w"]]
    assert only.buffers == (b"2", b"3")


def test_the_kernel_s_order_is_kept() -> None:
    frames = [
        opened(SLIDER),
        opened(BUTTON),
        changed(SLIDER, {"value": 8}),
        told("status", {"execution_state": "idle"}),
        changed(SLIDER, {"value": 9}),
    ]
    assert said(*frames) == frames


def test_nothing_is_told_twice_and_what_waits_is_told_when_asked() -> None:
    opening = Opening()
    assert list(opening.take(opened(SLIDER))) == []
    assert list(opening.rest()) == [opened(SLIDER)]
    assert list(opening.rest()) == []
    assert list(opening.take(changed(SLIDER, {"value": 8})))


@pytest.mark.parametrize(
    "frame",
    [
        changed(SLIDER, {}, method="custom"),
        changed(SLIDER, {}, method="echo_update"),
        changed(SLIDER, 1),
        changed(SLIDER, {}, b"x"),
        changed(SLIDER, {}, b"x", paths=[[]]),
        changed(SLIDER, {}, b"x", paths=[[1]]),
        changed(SLIDER, {}, b"x", paths=[1]),
        changed(BUTTON, {"value": 8}),
        told("comm_msg", {"comm_id": SLIDER, "data": 1}),
        told("comm_close", {"comm_id": SLIDER}),
    ],
)
def test_anything_else_is_told_by_itself(frame: Frame) -> None:
    assert said(opened(SLIDER), frame) == [opened(SLIDER), frame]


@pytest.mark.parametrize("data", [None, 1, {}, {"state": 1}])
def test_a_widget_that_is_opened_oddly_is_told_at_once(data: Any) -> None:
    content = {"comm_id": SLIDER, "target_name": "jupyter.widget", "data": data}
    odd = told("comm_open", content)
    opening = Opening()
    assert list(opening.take(odd)) == [odd]
    assert list(opening.rest()) == []
