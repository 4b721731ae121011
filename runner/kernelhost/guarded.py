"""Messages from a kernel are untrusted: what is malformed is replaced by a message that says nothing."""

from __future__ import annotations

from typing import Any

from jupyter_client.channels import AsyncZMQSocketChannel

MAX_DEPTH = 64
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
        for part in ("header", "parent_header", "content")
    ):
        return False
    return is_shallow(message["content"]) and not isinstance(
        message["parent_header"].get("msg_id"), (dict, list)
    )


class GuardedChannel(AsyncZMQSocketChannel):
    """A channel on which nothing that a kernel sends can raise."""

    async def _recv(  # type: ignore[override]  # as the library's own async channel
        self, **kwargs: Any
    ) -> dict[str, Any]:
        try:
            message = await super()._recv(**kwargs)
        except Exception:  # noqa: BLE001 - any error here was caused by bytes that the kernel chose
            return dict(MALFORMED)
        return message if well_formed(message) else dict(MALFORMED)
