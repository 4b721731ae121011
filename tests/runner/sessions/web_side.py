"""A page's side of a session's streams, for tests of the worker: it joins, speaks and hears."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings

from runner.live.comms import CONTROL_TARGET
from runner.live.frames import Frame, decode_ours, encode
from runner.models import Run
from runner.sessions.streams import (
    EVERYBODY,
    Entry,
    Said,
    Sealer,
    in_key,
    new_connection_id,
    number_of,
    out_key,
    out_place,
)
from tests.runner.live.messages import header

WITHIN_S = 30.0


class WebSide:
    """One page of a live session, at the streams."""

    def __init__(self, run: Run, *, joins: bool = True) -> None:
        self.run = run
        self.connection = new_connection_id()
        self.client = redis.Redis.from_url(settings.BROKER_URL)
        self.sealer = Sealer(run.pk)
        last: Any = self.client.xrevrange(out_key(run.pk), count=1)
        self.last = last[0][0] if last else b"0-0"
        self.heard: list[Frame] = []
        self.is_shown = False
        self.number = 0
        self._waiting: list[Frame] = []
        if joins:
            self.send(Said.JOIN)

    def send(self, said: Said, body: bytes = b"") -> None:
        """Write an entry for the worker."""
        entry = Entry(said, self.connection, body)
        self.number += 1
        self.client.xadd(in_key(self.run.pk), self.sealer.seal_said(entry, self.number))

    def say(self, msg_type: str, content: dict[str, Any], **fields: Any) -> str:
        """Send a message of the page; return its id."""
        msg_id = uuid.uuid4().hex
        frame = Frame(
            "shell", header(msg_type, msg_id=msg_id), content=content, **fields
        )
        self.send(Said.FRAME, encode(frame))
        return msg_id

    def connect(self) -> Frame:
        """Ask for all widgets, as every front end does; return the answer."""
        comm_id = uuid.uuid4().hex
        self.say("kernel_info_request", {})
        self.until(lambda frame: frame.msg_type == "kernel_info_reply")
        self.say(
            "comm_open", {"comm_id": comm_id, "target_name": CONTROL_TARGET, "data": {}}
        )
        self.say("comm_msg", {"comm_id": comm_id, "data": {"method": "request_states"}})
        told = self.until(lambda frame: data_of(frame).get("method") == "update_states")
        self.say("comm_close", {"comm_id": comm_id, "data": {}})
        return told

    def ask(self, comm_id: str) -> dict[str, Any]:
        """Ask one widget for its state; return it once the page hears that this is done."""
        content = {"comm_id": comm_id, "data": {"method": "request_state"}}
        asked = self.say("comm_msg", content)

        def is_answer(frame: Frame, **wanted: str) -> bool:
            said = {**data_of(frame), **frame.content}
            is_mine = frame.parent_header.get("msg_id") == asked
            return is_mine and all(
                said.get(name) == value for name, value in wanted.items()
            )

        told = self.until(lambda frame: is_answer(frame, method="update"))
        self.until(lambda frame: is_answer(frame, execution_state="idle"))
        state: dict[str, Any] = data_of(told)["state"]
        return state

    def move(self, comm_id: str, **state: Any) -> str:
        """Change a widget."""
        data = {"method": "update", "state": state, "buffer_paths": []}
        return self.say("comm_msg", {"comm_id": comm_id, "data": data})

    def until(
        self, wanted: Callable[[Frame], Any], within_s: float = WITHIN_S
    ) -> Frame:
        """Return the next message that is wanted, of those for this page."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            while self._waiting:
                frame = self._waiting.pop(0)
                self.heard.append(frame)
                if wanted(frame):
                    return frame
            self._read()
        raise AssertionError(
            [(each.msg_type, str(each.content)[:200]) for each in self.heard[-20:]]
        )

    def until_cell(self, **wanted: Any) -> dict[str, Any]:
        """Return the next change of a cell with these fields."""

        def is_wanted(frame: Frame) -> bool:
            return (
                frame.msg_type == "cell_outputs"
                and wanted.items() <= frame.content.items()
            )

        return self.until(is_wanted).content

    def _read(self) -> None:
        found: Any = self.client.xread({out_key(self.run.pk): self.last}, block=200)
        for entry_id, fields in found[0][1] if found else ():
            self.last = entry_id
            entry = self.sealer.open(fields, place=out_place(number_of(entry_id)))
            if entry.said == Said.SHOWING and entry.connection == self.connection:
                self.is_shown = True
            elif self.is_shown and entry.connection in {self.connection, EVERYBODY}:
                self._waiting.append(decode_ours(entry.body))


def data_of(frame: Frame) -> dict[str, Any]:
    """Return what a comm's message carries."""
    data = frame.content.get("data")
    return data if isinstance(data, dict) else {}


def model_id(told: Frame, model: str) -> str:
    """Return the id of the first widget of a model in an answer with all of them."""
    states = data_of(told)["states"]
    return next(each for each, entry in states.items() if entry["model_name"] == model)
