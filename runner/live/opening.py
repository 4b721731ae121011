"""A widget that is being made, told once it is whole.

Some libraries open a widget empty and fill it with the next messages.  Their scripts look once, as soon as
they are loaded: what comes a moment later is never drawn.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from runner.live.frames import Frame, Json


class Opening:
    """Holds back the widget that was opened last, until something else is said."""

    def __init__(self) -> None:
        self._held: Frame | None = None

    def take(self, frame: Frame) -> Iterator[Frame]:
        """Yield what is to be told now, in the kernel's order."""
        if self._held is not None and _fills(frame, self._held):
            self._held = _filled(self._held, frame)
            return
        yield from self.rest()
        if frame.msg_type == "comm_open" and _state(frame) is not None:
            self._held = frame
        else:
            yield frame

    def rest(self) -> Iterator[Frame]:
        """Yield what is held back, before anything else is told."""
        held, self._held = self._held, None
        if held is not None:
            yield held


def _fills(frame: Frame, opened: Frame) -> bool:
    return (
        frame.msg_type == "comm_msg"
        and frame.content.get("comm_id") == opened.content.get("comm_id")
        and _state(frame) is not None
        and frame.content["data"].get("method") == "update"
    )


def _filled(opened: Frame, frame: Frame) -> Frame:
    before, more = opened.content["data"], frame.content["data"]
    state, placed = more["state"], list(_placed(frame))
    named = state.keys() | {path[0] for path, _ in placed}
    kept = [(path, data) for path, data in _placed(opened) if path[0] not in named]
    placed = [*kept, *placed]
    data = {
        **before,
        "state": {**before["state"], **state},
        "buffer_paths": [path for path, _ in placed],
    }
    return replace(
        opened,
        content={**opened.content, "data": data},
        buffers=tuple(data for _, data in placed),
    )


def _placed(frame: Frame) -> Iterator[tuple[list[Any], bytes]]:
    """Yield each buffer and where in the state it stands."""
    paths = frame.content["data"].get("buffer_paths", [])
    return zip(paths, frame.buffers, strict=True)


def _state(frame: Frame) -> Json | None:
    """Return the state in a comm's message, if all of it is as widgets write it."""
    data = frame.content.get("data")
    if not isinstance(data, dict):
        return None
    state, paths = data.get("state"), data.get("buffer_paths", [])
    is_whole = (
        isinstance(state, dict)
        and isinstance(paths, list)
        and len(paths) == len(frame.buffers)
        and all(isinstance(path, list) and path for path in paths)
        and all(isinstance(path[0], str) for path in paths)
    )
    return state if is_whole else None
