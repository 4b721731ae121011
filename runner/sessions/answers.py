"""What the worker says to a page by itself, in the words of Jupyter's messaging protocol 5.3."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from runner.live.frames import KERNEL_SESSION, Frame, Json
from runner.live.mirror import Mirror

PROTOCOL_VERSION = "5.3"
#: Language → file extension and type of what is written in it.
_LANGUAGES = {
    "python": (".py", "text/x-python"),
    "bash": (".sh", "text/x-sh"),
}


def header(msg_type: str) -> Json:
    """Return the header of a new message."""
    return {
        "msg_id": uuid.uuid4().hex,
        "msg_type": msg_type,
        "session": KERNEL_SESSION,
        "username": "",
        "date": datetime.now(UTC).isoformat(),
        "version": PROTOCOL_VERSION,
    }


def about_cell(msg_type: str, change: Mapping[str, Any]) -> Frame:
    """Return what a page is told of a cell."""
    return Frame("iopub", header(msg_type), content=dict(change))


def busy(parent: Json) -> Frame:
    """Return the word that a message is being worked on; `inbound.idle` says that it is done."""
    return _status("busy", parent)


def dead() -> Frame:
    """Return the word that there is no kernel any more."""
    return _status("dead", {})


def kernel_info(asked: Frame, language: str) -> Frame:
    """Return what a page must know of a kernel to speak with it."""
    extension, mimetype = _LANGUAGES.get(language, (".txt", "text/plain"))
    content = {
        "status": "ok",
        "protocol_version": PROTOCOL_VERSION,
        "implementation": "countersign",
        "implementation_version": "1",
        "banner": "",
        "help_links": [],
        "language_info": {
            "name": language,
            "version": "",
            "file_extension": extension,
            "mimetype": mimetype,
        },
    }
    return Frame("shell", header("kernel_info_reply"), asked.header, content=content)


def comm_info(asked: Frame, targets: Json) -> Frame:
    """Return which comms there are."""
    content = {"status": "ok", "comms": targets}
    return Frame("shell", header("comm_info_reply"), asked.header, content=content)


def states(asked: Frame, mirror: Mirror) -> Frame:
    """Return what every widget looks like, on the comm on which a page asked."""
    return _told(asked, mirror, *mirror.states())


def state(asked: Frame, mirror: Mirror) -> Frame | None:
    """Return what one widget looks like, to a page that asked it; None when it is no more."""
    found = mirror.state(str(asked.content["comm_id"]))
    return None if found is None else _told(asked, mirror, *found)


def _told(
    asked: Frame, mirror: Mirror, data: Json, buffers: tuple[bytes, ...]
) -> Frame:
    content = {"comm_id": asked.content["comm_id"], "data": data}
    return Frame(
        "iopub",
        header("comm_msg"),
        asked.header,
        mirror.metadata,
        content,
        buffers,
    )


def _status(state: str, parent: Json) -> Frame:
    return Frame("iopub", header("status"), parent, content={"execution_state": state})
