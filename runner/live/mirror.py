"""What every widget of a kernel looks like, kept beside it.

A page that connects asks for all widgets; answered from here it need not wait for a kernel that is
busy, and what is here in the end is what the session leaves (ipywidgets' messaging protocol 2.1, and
its "Widget state JSON", version 2).
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from runner.live.comms import MAX_ID_CHARS, WIDGET_TARGET
from runner.live.frames import Frame, Json
from runner.live.withheld import Withheld

#: All widgets travel in one message, and their text is larger than what is counted here.
MAX_BYTES = 32 * 1024 * 1024
MAX_WIDGETS = 20_000
STATE_MIME = "application/vnd.jupyter.widget-state+json"

_PROTOCOL_VERSION = "2.1.0"
_NAMES = ("_model_name", "_model_module", "_model_module_version")

#: What a widget's names and places take beside its state.
_ENTRY_BYTES = 500

Path = tuple[str | int, ...]


class MirrorFull(Exception):
    """The kernel's widgets hold more than a page can be told."""


@dataclass
class _Model:
    state: Json = field(default_factory=dict)
    buffers: dict[Path, bytes] = field(default_factory=dict)


class Mirror:
    """The widgets of one kernel; `heard` follows its messages."""

    def __init__(self) -> None:
        self._models: dict[str, _Model] = {}
        self._heard_bytes = 0

    def heard(self, frame: Frame, *, size_bytes: int) -> None:
        """Follow one message of the kernel, of so many bytes.  Raises MirrorFull."""
        comm_id = frame.content.get("comm_id")
        if not isinstance(comm_id, str) or len(comm_id) > MAX_ID_CHARS:
            return
        self._take(comm_id, frame)
        self._weigh(size_bytes)

    def _take(self, comm_id: str, frame: Frame) -> None:
        content, data = frame.content, frame.content.get("data")
        state = data.get("state") if isinstance(data, dict) else None
        if frame.msg_type == "comm_close":
            self._models.pop(comm_id, None)
            return
        if (
            frame.msg_type == "comm_open"
            and content.get("target_name") == WIDGET_TARGET
        ):
            if len(self._models) >= MAX_WIDGETS:
                raise MirrorFull
            self._models[comm_id] = _Model()
        model = self._models.get(comm_id)
        if model is None or not isinstance(state, dict) or not isinstance(data, dict):
            return
        self._change(model, state, placed(data.get("buffer_paths"), frame.buffers))

    def _change(self, model: _Model, state: Json, buffers: dict[Path, bytes]) -> None:
        named = state.keys() | {path[0] for path in buffers}
        kept = {
            path: data for path, data in model.buffers.items() if path[0] not in named
        }
        model.state.update(state)
        model.buffers = {**kept, **buffers}

    def _weigh(self, size_bytes: int) -> None:
        """Count what is held, once as much was heard as may be held."""
        self._heard_bytes += size_bytes
        if self._heard_bytes <= MAX_BYTES:
            return
        held_bytes = sum(map(_size, self._models.values()))
        if held_bytes > MAX_BYTES:
            raise MirrorFull
        # Counting takes its time: not again before as much was heard as is missing, or a part.
        self._heard_bytes = min(held_bytes, MAX_BYTES * 3 // 4)

    def targets(self) -> Json:
        """Return the answer to who asks which comms there are."""
        return {comm_id: {"target_name": WIDGET_TARGET} for comm_id in self._models}

    def state_of(self, comm_id: str) -> Json:
        """Return a widget's traits as they are now; nothing of one that is not known."""
        model = self._models.get(comm_id)
        return model.state if model is not None else {}

    def states(self) -> tuple[Json, tuple[bytes, ...]]:
        """Return the data of `update_states`, and its buffers."""
        paths: list[list[str | int]] = []
        buffers: list[bytes] = []
        for comm_id, model in self._models.items():
            for path, data in model.buffers.items():
                paths.append([comm_id, "state", *path])
                buffers.append(data)
        states = {
            comm_id: {**_named(model), "state": model.state}
            for comm_id, model in self._models.items()
        }
        told = {"method": "update_states", "states": states, "buffer_paths": paths}
        return told, tuple(buffers)

    def state(self, comm_id: str) -> tuple[Json, tuple[bytes, ...]] | None:
        """Return the data of one widget's `update`, and its buffers; None for one that is closed."""
        model = self._models.get(comm_id)
        if model is None:
            return None
        paths = [list(path) for path in model.buffers]
        told = {"method": "update", "state": model.state, "buffer_paths": paths}
        return told, tuple(model.buffers.values())

    def saved(self, withheld: Withheld) -> Json:
        """Return a notebook's `metadata.widgets`, without what is withheld."""
        state = {
            comm_id: _saved(comm_id, model, withheld)
            for comm_id, model in self._models.items()
        }
        return {STATE_MIME: {"version_major": 2, "version_minor": 0, "state": state}}

    @property
    def metadata(self) -> Json:
        """Return the metadata of a message that carries widgets' states."""
        return {"version": _PROTOCOL_VERSION}


def _named(model: _Model) -> Json:
    return {name.lstrip("_"): model.state.get(name) for name in _NAMES}


def _saved(comm_id: str, model: _Model, withheld: Withheld) -> Json:
    left_out = withheld.among(
        {path[0] for path in model.buffers if isinstance(path[0], str)},
        comm_id=comm_id,
        state=model.state,
    )
    return {
        **_named(model),
        "state": withheld.kept(model.state, comm_id=comm_id, state=model.state),
        "buffers": [
            {
                "encoding": "base64",
                "path": list(path),
                "data": base64.b64encode(data).decode(),
            }
            for path, data in model.buffers.items()
            if path[0] not in left_out
        ],
    }


def placed(paths: Any, buffers: Sequence[bytes]) -> dict[Path, bytes]:
    """Return the buffers of a message by their paths; one without a path that can be is left out."""
    given = paths if isinstance(paths, list) else []
    return {
        tuple(path): data
        for path, data in zip(given, buffers, strict=False)
        if isinstance(path, list)
        and path
        and isinstance(path[0], str)
        and all(isinstance(part, (str, int)) for part in path)
    }


def _size(model: _Model) -> int:
    text = json.dumps(model.state, ensure_ascii=False)
    return _ENTRY_BYTES + len(text.encode()) + sum(map(len, model.buffers.values()))
