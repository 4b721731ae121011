"""Tell waiting pages that a run has changed: a bare signal, never any data.

A signal is a hint: pages ask the database anyway.  So a broker that stalls may cost a
second now and then, and never a heartbeat, a cancellation or an answer.
"""

import logging
import time
from typing import Any
from uuid import UUID

import redis
import redis.asyncio
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)

CHANGED, ENDED = b"changed", b"ended"
#: How long anybody waits for the broker (seconds).
TIMEOUTS: dict[str, Any] = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0}
#: After a signal that could not be sent, none is tried for so long (seconds).
PAUSE_S = 5.0


class Signals:
    """Sends signals, and stops trying for a while when the broker does not take them."""

    def __init__(self, url: str) -> None:
        # One connection pool per process; the client is safe to share between threads.
        self.client = redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0), **TIMEOUTS)
        self.quiet_until = 0.0

    def send(self, run_id: UUID, signal: bytes) -> None:
        """Publish the run's signal, or log that nobody hears it."""
        if time.monotonic() < self.quiet_until:
            return
        try:
            self.client.publish(channel(run_id), signal)
        except redis.RedisError as error:
            self.quiet_until = time.monotonic() + PAUSE_S
            logger.warning("signal.not_sent run_id=%s %s", run_id, type(error).__name__)


def channel(run_id: UUID) -> str:
    """Return the name of the channel on which the run's changes are signalled."""
    return f"countersign:run:{run_id.hex}"


def signal_change(run_id: UUID) -> None:
    """Wake everyone who follows this run; they then read the database."""
    _signals.send(run_id, CHANGED)


def signal_end(run_id: UUID) -> None:
    """Wake also those who wait for nothing but the run's end."""
    _signals.send(run_id, ENDED)


_signals = Signals(settings.BROKER_URL)
