"""A page at the kernel host's own socket: it hears every event of a live session and speaks for a reader."""

import base64
import queue
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from runner.kernelhost import client
from runner.live.frames import Frame, decode, encode
from tests.runner.kernelhost.harness import KernelHost, lock_sha256, notebook
from tests.runner.live.messages import header

WITHIN_S = 30.0
Event = dict[str, Any]


class LivePage:
    """One live session; everything heard is kept."""

    def __init__(
        self,
        host: KernelHost,
        *cells: Any,
        environment: str = "python-analytics",
        **limits: float,
    ) -> None:
        request = client.ExecuteRequest(
            uuid.uuid4().hex,
            environment,
            lock_sha256(environment),
            "python3",
            notebook(*cells),
            limits,
            live=True,
        )
        self.session = client.execute(host.socket, request)
        self._last_cell = len(cells) - 1
        self.events: list[Event] = []
        self._goes_on = threading.Event()
        self._goes_on.set()
        self._queue: queue.Queue[Event] = queue.Queue()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def pause(self) -> None:
        """Take no event any more, as a worker that is slow."""
        self._goes_on.clear()

    def resume(self) -> None:
        """Take them again."""
        self._goes_on.set()

    def _listen(self) -> None:
        try:
            for event in self.session.events():
                self._goes_on.wait()
                self._queue.put(event)
        except (client.ConnectionLost, OSError, ValueError):
            self._queue.put({"event": "lost"})

    def __enter__(self) -> "LivePage":
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def until(
        self, wanted: Callable[[Event], Any], within_s: float = WITHIN_S
    ) -> Event:
        """Return the first event that is wanted, of those heard from now on."""
        deadline = time.monotonic() + within_s
        while (left := deadline - time.monotonic()) > 0:
            try:
                event = self._queue.get(timeout=left)
            except queue.Empty:
                break
            self.events.append(event)
            if wanted(event):
                return event
        raise AssertionError([_short(event) for event in self.events[-20:]])

    def until_event(self, name: str, **fields: Any) -> Event:
        """Return the next event of that name with these fields."""
        wanted = {"event": name, **fields}
        return self.until(lambda event: wanted.items() <= event.items())

    def until_rest(self) -> Event:
        """Return when the last cell has ended; the session stays."""
        return self.until_event("cell_finished", cell=self._last_cell)

    def until_frame(self, wanted: Callable[[Frame], Any]) -> Frame:
        """Return the next message of a widget that is wanted."""
        event = self.until(
            lambda event: event["event"] == "frame" and wanted(frame_of(event))
        )
        return frame_of(event)

    def ended(self) -> Event:
        """Return the last event."""
        return self.until(
            lambda event: event["event"] in {"finished", "refused", "lost"}
        )

    @property
    def frames(self) -> list[Frame]:
        """Every message heard so far."""
        return [frame_of(event) for event in self.events if event["event"] == "frame"]

    def widget(self, model: str) -> str:
        """Return the comm id of the first widget of a model that was heard of."""
        for frame in self.frames:
            state = frame.content.get("data", {}).get("state", {})
            if frame.msg_type == "comm_open" and state.get("_model_name") == model:
                return str(frame.content["comm_id"])
        raise AssertionError(model)

    def say(self, comm_id: str, **data: Any) -> str:
        """Send a widget something; return the message's id."""
        head = header("comm_msg", msg_id=uuid.uuid4().hex)
        frame = Frame("shell", head, content={"comm_id": comm_id, "data": data})
        self.session.say(encode(frame))
        return str(head["msg_id"])

    def move(self, comm_id: str, **state: Any) -> str:
        """Change a widget's traits."""
        return self.say(comm_id, method="update", state=state, buffer_paths=[])

    def click(self, comm_id: str) -> str:
        """Press a button."""
        return self.say(comm_id, method="custom", content={"event": "click"})


def frame_of(event: Event) -> Frame:
    """Return the message in an event."""
    return decode(base64.b64decode(event["frame"]))


def state_of(frame: Frame) -> dict[str, Any]:
    """Return what a widget's message says of its traits."""
    return (
        frame.content.get("data", {}).get("state", {})
        if frame.msg_type == "comm_msg"
        else {}
    )


def is_idle(frame: Frame, msg_id: str) -> bool:
    """Tell whether the kernel is done with a message."""
    return (
        frame.msg_type == "status"
        and frame.content["execution_state"] == "idle"
        and frame.parent_header.get("msg_id") == msg_id
    )


def _short(event: Event) -> Any:
    if event["event"] != "frame":
        return {name: str(value)[:200] for name, value in event.items()}
    frame = frame_of(event)
    return frame.msg_type, str(frame.content)[:300]
