"""How fast one page may speak; whoever is faster is read more slowly, and loses nothing."""

import asyncio
import time
from dataclasses import dataclass, field

from runner.live.frames import MAX_FRAME_BYTES

MESSAGES_PER_S = 200.0
MESSAGES_AT_ONCE = 400.0
BYTES_PER_S = 8.0 * 1024 * 1024
#: One upload, however large, does not wait; the longest pause, 8 s, is shorter than the
#: server's patience with a client that answers no ping.
BYTES_AT_ONCE = float(MAX_FRAME_BYTES)


@dataclass
class Bucket:
    """So much at once, and so much more per second."""

    per_s: float
    at_once: float
    left: float = field(init=False)
    at_s: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.left = self.at_once

    def take(self, amount: float, *, now_s: float) -> float:
        """Take `amount`, and return how long to wait before going on (seconds)."""
        refilled = self.left + (now_s - self.at_s) * self.per_s
        self.left, self.at_s = min(self.at_once, refilled) - amount, now_s
        return max(0.0, -self.left / self.per_s)


class Pace:
    """What one connection has left, in messages and in bytes."""

    def __init__(self) -> None:
        self._messages = Bucket(MESSAGES_PER_S, MESSAGES_AT_ONCE)
        self._bytes = Bucket(BYTES_PER_S, BYTES_AT_ONCE)

    async def keep(self, size_bytes: int) -> None:
        """Wait until a message of this size may be dealt with."""
        now_s = time.monotonic()
        wait_s = max(
            self._messages.take(1, now_s=now_s),
            self._bytes.take(size_bytes, now_s=now_s),
        )
        if wait_s:
            await asyncio.sleep(wait_s)
