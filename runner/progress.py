"""Tell waiting pages that a run has changed: a bare signal, never any data."""

from uuid import UUID

import redis
import redis.asyncio
from django.conf import settings

#: One connection pool per process; the client is safe to share between threads.
_client = redis.Redis.from_url(settings.BROKER_URL)


def channel(run_id: UUID) -> str:
    """Return the name of the channel on which the run's changes are signalled."""
    return f"countersign:run:{run_id.hex}"


def signal_change(run_id: UUID) -> None:
    """Wake everyone who waits for this run; they then read the database."""
    _client.publish(channel(run_id), b"changed")
