"""Messages as bytes: what was written is read, and nothing else is."""

import json
import struct

import pytest

from runner.live.frames import (
    MAX_DEPTH,
    MAX_JSON_BYTES,
    BadFrame,
    Frame,
    decode,
    decode_ours,
    encode,
    message_type,
)

PARTS = [b"shell", b'{"msg_type":"x"}', b"{}", b"{}", b'{"a":1}']


def frame_of(parts, *, offsets=None, count=None):
    """Bytes in the format's layout, of these parts; offsets and their number may lie."""
    if offsets is None:
        offsets = [8 * (len(parts) + 2)]
        for part in parts:
            offsets.append(offsets[-1] + len(part))
    count = len(offsets) if count is None else count
    return struct.pack(f"<{len(offsets) + 1}Q", count, *offsets) + b"".join(parts)


def test_the_layout_is_the_one_of_the_specification():
    made = encode(Frame("iopub", {}, buffers=(b"\x00\xff",)))
    jsons = b"{}{}{}{}"
    numbers = [7, 64, 69, 71, 73, 75, 77, 79]
    assert made == struct.pack("<8Q", *numbers) + b"iopub" + jsons + b"\x00\xff"


@pytest.mark.parametrize("buffers", [(), (b"",), (b"\x00" * 1000, b"", b"abc")])
def test_what_was_written_is_read(buffers):
    frame = Frame(
        "shell",
        {"msg_type": "comm_msg"},
        {"msg_id": "é"},
        {"m": []},
        {"c": [1.5, None, "\u2028"]},
        buffers,
    )
    assert decode(encode(frame)) == frame
    assert decode(encode(frame)).msg_type == "comm_msg"


def test_a_header_without_a_type_has_none():
    assert Frame("shell", {"msg_type": ["execute_request"]}).msg_type == ""


def test_what_json_cannot_say_is_not_written():
    with pytest.raises(ValueError, match="Out of range"):
        encode(Frame("shell", {}, content={"x": float("nan")}))


@pytest.mark.security
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x06",
        b'{"header": {"msg_type": "execute_request"}}',
        struct.pack("<Q", 2**63),
        frame_of(PARTS[:4]),
        frame_of(PARTS, count=7),
        frame_of(PARTS, count=2**40),
        frame_of(PARTS, offsets=[56, 61, 77, 79, 81, 87]),
        frame_of(PARTS, offsets=[56, 61, 77, 79, 81, 89]),
        frame_of(PARTS, offsets=[0, 61, 77, 79, 81, 88]),
        frame_of(PARTS, offsets=[56, 77, 61, 79, 81, 88]),
        frame_of([*PARTS, *[b""] * 257]),
    ],
)
def test_bytes_that_are_no_frame_are_refused(data):
    with pytest.raises(BadFrame) as refused:
        decode(data)
    assert refused.value.code == "not_a_frame"


@pytest.mark.security
@pytest.mark.parametrize(
    "part",
    [
        b"",
        b"[]",
        b'"text"',
        b"null",
        b"{} {}",
        b"{",
        b"\xff\xfe",
        b'{"x": NaN}',
        b'{"x": -Infinity}',
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_a_part_that_is_no_json_object_is_refused(part):
    for place in range(1, 5):
        parts = [*PARTS[:place], part, *PARTS[place + 1 :]]
        with pytest.raises(BadFrame) as refused:
            decode(frame_of(parts))
        assert refused.value.code == "bad_json"


def nested(depth):
    """A part in which so many objects and lists stand in each other."""
    return (
        b'{"x":' * (depth // 2)
        + b"[" * (depth - depth // 2)
        + b"]" * (depth - depth // 2)
        + b"}" * (depth // 2)
    )


@pytest.mark.security
def test_what_is_read_can_be_written_again_however_deep_it_is():
    """Python reads JSON that it then cannot write; the relay would fail over such a message."""
    deepest = decode(frame_of([*PARTS[:4], nested(MAX_DEPTH)]))
    assert decode(encode(deepest)) == deepest
    for depth in (MAX_DEPTH + 1, 500, 900):
        with pytest.raises(BadFrame) as refused:
            decode(frame_of([*PARTS[:4], nested(depth)]))
        assert refused.value.code == "too_deep"


@pytest.mark.security
@pytest.mark.parametrize(
    "channel", [b"", b"she ll", b"shell\x00", b"\xc3\xa9", b"s" * 17]
)
def test_a_channel_is_a_short_word(channel):
    with pytest.raises(BadFrame) as refused:
        decode(frame_of([channel, *PARTS[1:]]))
    assert refused.value.code == "bad_channel"


@pytest.mark.security
def test_large_frames_and_large_parts_are_refused():
    with pytest.raises(BadFrame) as refused:
        decode(encode(Frame("shell", {}, buffers=(b"x" * 1000,))), max_bytes=1000)
    assert refused.value.code == "too_large"
    large = json.dumps({"x": "y" * MAX_JSON_BYTES}).encode()
    with pytest.raises(BadFrame) as refused:
        decode(frame_of([*PARTS[:4], large]))
    assert refused.value.code == "too_large"


def test_what_a_kernel_says_may_have_as_many_buffers_as_it_has_widgets():
    """All widgets' pictures travel in one message; a page's own has no need of so many."""
    data = encode(Frame("iopub", {"msg_type": "comm_msg"}, buffers=(b"x",) * 300))
    assert len(decode_ours(data).buffers) == 300
    assert message_type(data) == "comm_msg"
    with pytest.raises(BadFrame):
        decode(data)
