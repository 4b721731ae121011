"""Messages from a kernel are untrusted: what is malformed is replaced by a message that says nothing."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyter_client.channels import AsyncZMQSocketChannel

MAX_DEPTH = 64
MAX_PARTS = 64
MAX_JSON_VALUES = 2_000_000
MALFORMED_PAUSE_S = 0.002
MALFORMED: dict[str, Any] = {
    "msg_type": "malformed",
    "msg_id": "",
    "header": {"msg_type": "malformed", "msg_id": ""},
    "parent_header": {},
    "metadata": {},
    "content": {},
    "buffers": [],
}


def is_shallow(value: Any, depth: int = MAX_DEPTH) -> bool:
    """Whether JSON nests at most ``depth`` levels, found without recursion."""
    level = [value]
    for _ in range(depth):
        level = [
            child
            for item in level
            if isinstance(item, (dict, list))
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return True
    return False


def well_formed(message: Any) -> bool:
    """Whether the parts that the client reads have the types that it expects."""
    if not isinstance(message, dict) or not isinstance(message.get("msg_type"), str):
        return False
    if not all(
        isinstance(message.get(part), dict)
        for part in ("header", "parent_header", "metadata", "content")
    ):
        return False
    return is_shallow(message["content"]) and not isinstance(
        message["parent_header"].get("msg_id"), (dict, list)
    )


def plausible(parts: list[bytes]) -> bool:
    """Whether reading the message can cost only so much: few parts, and not made of brackets alone."""
    if len(parts) > MAX_PARTS:
        return False
    values = sum(
        part.count(b"[") + part.count(b"{") + part.count(b",") for part in parts
    )
    return values <= MAX_JSON_VALUES


class GuardedChannel(AsyncZMQSocketChannel):
    """A channel on which nothing that a kernel sends can raise, or keep the host from its other runs."""

    async def _recv(  # type: ignore[override]  # as the library's own async channel
        self, **kwargs: Any
    ) -> dict[str, Any]:
        message = await self._read(**kwargs)
        if message is None:
            await asyncio.sleep(MALFORMED_PAUSE_S)
            return dict(MALFORMED)
        # A socket that is never empty would otherwise never let go of the loop.
        await asyncio.sleep(0)
        return message

    async def _read(self, **kwargs: Any) -> dict[str, Any] | None:
        parts: list[bytes] = await self.socket.recv_multipart(**kwargs)
        if not plausible(parts):
            return None
        try:
            _, frames = self.session.feed_identities(parts)
            message: dict[str, Any] = self.session.deserialize(frames)
        except Exception:  # noqa: BLE001 - any error here was caused by bytes that the kernel chose
            return None
        return message if well_formed(message) else None
