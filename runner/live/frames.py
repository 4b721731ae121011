"""Kernel messages as the binary frames that Jupyter's front ends speak.

The format is `v1.kernel.websocket.jupyter.org` (Jupyter Server, "WebSocket kernel wire protocols"): the
number of offsets, the offsets, then channel, header, parent header, metadata, content and buffers
where the offsets say, all integers of 64 bits, the lowest byte first.  No signature: whoever sends a
message on to a kernel makes it anew.
"""

import itertools
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

SUBPROTOCOL = "v1.kernel.websocket.jupyter.org"
#: Whose messages a page hears: front ends drop what they have queued when another session speaks.
KERNEL_SESSION = "kernel"

_WORD_BYTES = 8
#: Channel, header, parent header, metadata, content.
_FIXED_PARTS = 5
_MAX_BUFFERS = 256
_MAX_CHANNEL_BYTES = 16
#: Of one part that is JSON.
MAX_JSON_BYTES = 2 * 1024 * 1024
#: Of a whole frame of a page; uploads ride in its buffers, and a kernel says them again in one message,
#: for which the kernel host has 16 MiB.
MAX_FRAME_BYTES = 12 * 1024 * 1024
#: How many objects and lists may stand in each other: far fewer than what can be read but not written again.
MAX_DEPTH = 100

Json = dict[str, Any]


class BadFrame(Exception):
    """These bytes are no message.  `code` says why, in a word of ours."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Frame:
    """One message on one channel."""

    channel: str
    header: Json
    parent_header: Json = field(default_factory=dict)
    metadata: Json = field(default_factory=dict)
    content: Json = field(default_factory=dict)
    buffers: tuple[bytes, ...] = ()

    @property
    def msg_type(self) -> str:
        """Return the type that the header names; empty when it names none."""
        found = self.header.get("msg_type")
        return found if isinstance(found, str) else ""


def encode(frame: Frame) -> bytes:
    """Return the bytes of a message.  Raises ValueError for what JSON cannot say."""
    jsons = (frame.header, frame.parent_header, frame.metadata, frame.content)
    parts = [
        frame.channel.encode("ascii"),
        *(
            json.dumps(part, ensure_ascii=False, allow_nan=False).encode()
            for part in jsons
        ),
        *frame.buffers,
    ]
    count = len(parts) + 1
    first = _WORD_BYTES * (count + 1)
    offsets = itertools.accumulate(map(len, parts), initial=first)
    return struct.pack(f"<{count + 1}Q", count, *offsets) + b"".join(parts)


def decode(data: bytes, *, max_bytes: int = MAX_FRAME_BYTES) -> Frame:
    """Return the message behind some bytes.

    Raises BadFrame: `too_large`, `not_a_frame`, `bad_channel`, `bad_json` or `too_deep`.
    """
    if len(data) > max_bytes:
        raise BadFrame("too_large")
    return _decoded(data, max_json_bytes=MAX_JSON_BYTES, max_buffers=_MAX_BUFFERS)


def decode_ours(data: bytes) -> Frame:
    """Return the message behind bytes that `encode` wrote, of any size.  Raises BadFrame.

    What a kernel says may be all JSON: widgets bring their code along.
    """
    return _decoded(data, max_json_bytes=len(data), max_buffers=len(data))


def message_type(data: bytes) -> str:
    """Return the type that the header names, without the rest.  Raises BadFrame."""
    offsets = _offsets(data, max_buffers=len(data))
    header = _object(data[offsets[1] : offsets[2]], MAX_JSON_BYTES)
    return Frame("", header).msg_type


def _decoded(data: bytes, *, max_json_bytes: int, max_buffers: int) -> Frame:
    offsets = itertools.pairwise(_offsets(data, max_buffers=max_buffers))
    channel, *jsons = [data[start:end] for start, end in offsets]
    buffers = tuple(jsons[_FIXED_PARTS - 1 :])
    header, parent, metadata, content = (
        _object(part, max_json_bytes) for part in jsons[: _FIXED_PARTS - 1]
    )
    return Frame(_channel(channel), header, parent, metadata, content, buffers)


def _offsets(data: bytes, *, max_buffers: int) -> Sequence[int]:
    if len(data) < _WORD_BYTES:
        raise BadFrame("not_a_frame")
    (count,) = struct.unpack_from("<Q", data)
    if not _FIXED_PARTS < count <= _FIXED_PARTS + 1 + max_buffers:
        raise BadFrame("not_a_frame")
    first = _WORD_BYTES * (count + 1)
    if len(data) < first:
        raise BadFrame("not_a_frame")
    offsets = struct.unpack_from(f"<{count}Q", data, _WORD_BYTES)
    if (offsets[0], offsets[-1]) != (first, len(data)) or list(offsets) != sorted(
        offsets
    ):
        raise BadFrame("not_a_frame")
    return offsets


def _channel(part: bytes) -> str:
    if len(part) > _MAX_CHANNEL_BYTES or not part.isalpha():
        raise BadFrame("bad_channel")
    return part.decode("ascii")


def _object(part: bytes, max_bytes: int) -> Json:
    """Return the one JSON object that a part is."""
    if len(part) > max_bytes:
        raise BadFrame("too_large")
    try:
        found = json.loads(part, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise BadFrame("bad_json") from None
    if not isinstance(found, dict):
        raise BadFrame("bad_json")
    if _is_deep(found):
        raise BadFrame("too_deep")
    return found


def _is_deep(value: Json) -> bool:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        inner = (each.values() if isinstance(each, dict) else each for each in level)
        level = [
            each for all_ in inner for each in all_ if isinstance(each, (dict, list))
        ]
        if not level:
            return False
    return True


def _refuse(constant: str) -> NoReturn:
    """JSON has no NaN and no infinity; a kernel may read them otherwise than we do."""
    raise ValueError(constant)
