"""Signs of life that the workers leave for `/readyz`, in Valkey, for thirty seconds.

The web process may not reach the kernel host's socket; the sweep, which beat sends
to a worker every ten seconds, looks for it and tells.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import redis
from celery import Celery
from celery import current_app as celery_app
from django.conf import settings

from audit.log import stamp
from runner.kernelhost import client as kernel_host
from runner.workflow import Queue

#: A sign of life counts this long: three sweeps.
LIFETIME_S = 30
#: How long the workers get to say which queues they serve (seconds).
ANSWER_WITHIN_S = 1.0
#: So often one sweep looks for a part that is missing; each look takes `ANSWER_WITHIN_S`.
LOOKS = 5
#: Every queue has workers of its own.
QUEUES = frozenset({*Queue.values, "sweep"})
KEY = "countersign:parts_alive"
TOLD_ALONG = ("layers", "pool", "active")


@dataclass(frozen=True)
class PartsAlive:
    """What the latest sweep saw; all empty when there was none lately."""

    swept_at: str = ""
    #: The queues that some worker serves.
    queues: list[str] = field(default_factory=list)
    kernel_host: str = "not seen lately"
    #: The kernel host runs with fewer layers than it should, by explicit setting.
    degraded: bool = False
    #: Layer of confinement → `{holds, seen}`.
    layers: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: `{environment, kernel_name, size, ready, launcher, layers}` of kernels that wait.
    pool: list[dict[str, Any]] = field(default_factory=list)
    #: How many runs the kernel host has.
    active: int = 0

    @property
    def kernel_host_is_ready(self) -> bool:
        """Tell whether the kernel host takes work."""
        return self.kernel_host == "ready"

    @property
    def unserved(self) -> list[str]:
        """Return the queues that nobody serves."""
        return sorted(QUEUES - set(self.queues))

    @property
    def is_whole(self) -> bool:
        """Tell whether no part is missing."""
        return self.kernel_host_is_ready and not self.unserved


def watch_parts(
    *, clock: Callable[[], datetime], app: Celery | None = None
) -> PartsAlive:
    """Note the parts, and again while one is missing.

    Where everything starts at once, a part that came a moment late is seen a moment later
    and not with the next sweep.
    """
    for _ in range(LOOKS):
        seen = note_parts_alive(now=clock(), app=app)
        if seen.is_whole:
            break
    return seen


def note_parts_alive(*, now: datetime, app: Celery | None = None) -> PartsAlive:
    """Look for the workers and the kernel host, and leave word for `/readyz`."""
    seen = PartsAlive(
        swept_at=stamp(now), queues=_served_queues(app or celery_app), **_kernel_host()
    )
    with _broker() as broker:
        broker.set(KEY, json.dumps(asdict(seen)), ex=LIFETIME_S)
    return seen


def parts_alive() -> PartsAlive:
    """Return what the latest sweep saw.  Raises redis.RedisError."""
    with _broker() as broker:
        told = broker.get(KEY)
    return PartsAlive(**json.loads(told)) if told else PartsAlive()


def _kernel_host() -> dict[str, Any]:
    """Return what `PartsAlive` says of the kernel host."""
    if not settings.KERNEL_HOST_SOCKET:
        return {"kernel_host": "KERNEL_HOST_SOCKET is not set"}
    try:
        status = kernel_host.status(settings.KERNEL_HOST_SOCKET)
    except (kernel_host.KernelHostUnavailable, kernel_host.ConnectionLost):
        return {"kernel_host": "does not answer"}
    state = "ready" if status.get("ok") else "refuses work: its self-test failed"
    return {
        "kernel_host": state,
        "degraded": bool(status.get("degraded")),
        # An older kernel host tells less.
        **{name: status[name] for name in TOLD_ALONG if name in status},
    }


def _served_queues(app: Celery) -> list[str]:
    """Ask the running workers which queues they take work from."""
    answers = app.control.inspect(timeout=ANSWER_WITHIN_S).active_queues() or {}
    return sorted({queue["name"] for served in answers.values() for queue in served})


def _broker() -> redis.Redis:
    return redis.Redis.from_url(
        settings.BROKER_URL, socket_timeout=2, socket_connect_timeout=2
    )
