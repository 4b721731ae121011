"""What a page may say to a kernel: five kinds of message, each made anew from the parts that it may have.

Everything else is refused.  This function decides in the web process, and once more in the worker, where
alone messages are signed: a page that found a way around the first meets the second.
"""

import re
from dataclasses import dataclass
from typing import Any

from runner.live.comms import CONTROL_TARGET, WIDGET_TARGET, Comms, Widget
from runner.live.frames import KERNEL_SESSION, Frame, Json
from runner.live.traits import COUNTED, KNOWN_MODULES, is_event, writable

READER = "reader"
#: The session of every page: whose a message is, no page says.
PAGE_SESSION = "page"
#: Changes while nobody touches it.
_PLAYER = "PlayModel"
CONTROL_VERSION = "1.0.0"
MAX_PATH_PARTS = 32
#: Messages that a kernel has not answered; further ones are not sent, and said to be done.
MAX_UNANSWERED = 400

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_DATE = re.compile(r"[0-9T:.Z+-]{1,40}")
_VERSION = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){0,2}")


@dataclass(frozen=True)
class WidgetEvent:
    """What a reader did, for the record: values by trait, or the event of a button."""

    comm_id: str
    module: str
    model: str
    method: str
    values: Json

    @property
    def is_by_hand(self) -> bool:
        """Tell whether it takes somebody to make this happen, as far as can be told."""
        return self.model != _PLAYER and not self.values.keys() <= COUNTED


@dataclass(frozen=True)
class Passed:
    """A message that may reach the kernel, made anew."""

    frame: Frame
    event: WidgetEvent | None = None


@dataclass(frozen=True)
class Refused:
    """A message that may not.  `code` says why, `answer` is what the page must hear instead.

    A widget that has sent something waits for the kernel to be idle again; without an answer
    it would send nothing any more.
    """

    code: str
    answer: Frame | None = None


class _No(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def judge(
    frame: Frame, comms: Comms, *, writes_unknown: bool = True
) -> Passed | Refused:
    """Decide about one message of a page; `comms` learns which comms the page opens and closes.

    Without `writes_unknown`, widgets of libraries that are not known here can be looked at only.
    """
    try:
        header = _header(frame)
    except _No as no:
        return Refused(no.code)
    try:
        if frame.channel != "shell":
            raise _No("channel")
        return _judged(frame, header, comms, writes_unknown)
    except _No as no:
        is_awaited = frame.msg_type == "comm_msg"
        return Refused(no.code, idle(header) if is_awaited else None)


def idle(parent: Json) -> Frame:
    """Return the word of a kernel that it is done with a message."""
    header = {
        **parent,
        "msg_id": f"{parent['msg_id']}-idle",
        "msg_type": "status",
        "session": KERNEL_SESSION,
    }
    return Frame("iopub", header, parent, content={"execution_state": "idle"})


def _header(frame: Frame) -> Json:
    """Return a header of the parts that a header has; a subshell is none of them."""
    given, kept = frame.header, {}
    for name, form in (
        ("msg_id", _ID),
        ("session", _ID),
        ("msg_type", _ID),
        ("date", _DATE),
        ("version", _VERSION),
    ):
        value = given.get(name)
        if not isinstance(value, str) or not form.fullmatch(value):
            raise _No("header")
        kept[name] = value
    return {**kept, "session": PAGE_SESSION, "username": READER}


def _judged(
    frame: Frame, header: Json, comms: Comms, writes_unknown: bool
) -> Passed | Refused:
    match frame.msg_type:
        case "kernel_info_request":
            return Passed(Frame("shell", header))
        case "comm_info_request":
            return Passed(
                Frame("shell", header, content={"target_name": WIDGET_TARGET})
            )
        case "comm_open":
            return _open(frame, header, comms)
        case "comm_close":
            comm_id = _comm_id(frame)
            if not comms.close_control(comm_id):
                raise _No("not_your_comm")
            content = {"comm_id": comm_id, "data": {}}
            return Passed(Frame("shell", header, content=content))
        case "comm_msg":
            return _message(frame, header, comms, writes_unknown)
        case _:
            raise _No("message_type")


def _open(frame: Frame, header: Json, comms: Comms) -> Passed:
    if frame.content.get("target_name") != CONTROL_TARGET:
        raise _No("comm_target")
    comm_id = _comm_id(frame)
    if not comms.open_control(comm_id):
        raise _No("comm_not_opened")
    content = {"comm_id": comm_id, "target_name": CONTROL_TARGET, "data": {}}
    metadata = {"version": CONTROL_VERSION}
    return Passed(Frame("shell", header, metadata=metadata, content=content))


def _message(frame: Frame, header: Json, comms: Comms, writes_unknown: bool) -> Passed:
    comm_id, given = _comm_id(frame), frame.content.get("data")
    data: Json = given if isinstance(given, dict) else {}
    method = data.get("method")
    if comms.is_control(comm_id):
        if method != "request_states" or frame.buffers:
            raise _No("comm_method")
        return _passed(header, comm_id, {"method": method})
    widget = comms.widget(comm_id)
    if widget is None:
        raise _No("unknown_comm")
    if method == "request_state" and not frame.buffers:
        return _passed(header, comm_id, {"method": method})
    if widget.module not in KNOWN_MODULES and not writes_unknown:
        raise _No("read_only")
    match method:
        case "update":
            kept, values = _update(data, frame.buffers, widget)
        case "custom":
            kept, values = _custom(data, frame.buffers, widget)
        case _:
            raise _No("comm_method")
    event = WidgetEvent(comm_id, widget.module, widget.model, method, values)
    return _passed(header, comm_id, kept, frame.buffers, event)


def _passed(
    header: Json,
    comm_id: str,
    data: Json,
    buffers: tuple[bytes, ...] = (),
    event: WidgetEvent | None = None,
) -> Passed:
    content = {"comm_id": comm_id, "data": data}
    return Passed(Frame("shell", header, content=content, buffers=buffers), event)


def _update(
    data: Json, buffers: tuple[bytes, ...], widget: Widget
) -> tuple[Json, Json]:
    """Return the data of an update made anew, and its values by trait."""
    state, paths = data.get("state"), data.get("buffer_paths", [])
    if not isinstance(state, dict) or not isinstance(paths, list):
        raise _No("update")
    if len(paths) != len(buffers) or not all(map(_is_path, paths)):
        raise _No("buffers")
    # A buffer is put where its path says, whether the state has such a trait or not.
    traits = state.keys() | {path[0] for path in paths}
    allowed = writable(widget.module, widget.model)
    if allowed is not None and not traits <= allowed:
        raise _No("read_only")
    if widget.is_disabled and not traits <= COUNTED:
        raise _No("disabled")
    return {"method": "update", "state": state, "buffer_paths": paths}, state


def _is_path(path: Any) -> bool:
    """Tell whether this leads to a place in a state: a trait, then names and indices."""
    return (
        isinstance(path, list)
        and 0 < len(path) <= MAX_PATH_PARTS
        and isinstance(path[0], str)
        and all(type(part) in (str, int) for part in path)
    )


def _custom(
    data: Json, buffers: tuple[bytes, ...], widget: Widget
) -> tuple[Json, Json]:
    content = data.get("content")
    if not is_event(widget.module, widget.model, content):
        raise _No("event")
    if widget.module in KNOWN_MODULES and buffers:
        raise _No("buffers")
    if widget.is_disabled:
        raise _No("disabled")
    return {"method": "custom", "content": content}, {"event": content}


def _comm_id(frame: Frame) -> str:
    comm_id = frame.content.get("comm_id")
    if not isinstance(comm_id, str) or not _ID.fullmatch(comm_id):
        raise _No("comm_id")
    return comm_id
