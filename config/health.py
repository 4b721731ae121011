"""Is the service alive, and is every part of it ready.

No secrets and no versions are told, since anybody may ask.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import psycopg
import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import Error as AnyDatabaseError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from accounts.activity import not_activity
from runner.services.heartbeats import PartsAlive, parts_alive

#: Every part is asked at most this often (seconds), whoever asks us how often.
REMEMBER_S = 2.0
#: The same while one is missing: who waits for it need not wait longer than it does.
REMEMBER_MISSING_S = 0.25
CONNECT_TIMEOUT_S = 3


@dataclass(frozen=True)
class Part:
    """One part of the service; `detail` says in plain words what is wrong."""

    ready: bool
    detail: str = ""


@not_activity
@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Say that this process answers."""
    return _no_store(JsonResponse({"status": "alive"}))


@not_activity
@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Say of each part whether it is ready; 503 while one is not."""
    parts = remembered_parts()
    ready = all(part.ready for part in parts.values())
    told = {name: asdict(part) for name, part in parts.items()}
    body = {"status": "ready" if ready else "not ready", "parts": told}
    return _no_store(JsonResponse(body, status=200 if ready else 503))


def _no_store(response: JsonResponse) -> JsonResponse:
    response["Cache-Control"] = "no-store"
    return response


def all_parts() -> dict[str, Part]:
    """Ask every part, one after the other."""
    queue, alive = _queue()
    return {
        "database": _database(),
        "queue": queue,
        "workers": _workers(alive),
        "beat": _seen(bool(alive.swept_at), "no sweep lately"),
        "kernel_host": _kernel_host(alive),
        **{
            f"data_source:{name}": _data_source(source.real.ticket)
            for name, source in settings.DATA_SOURCES.items()
        },
        **{
            f"notional_data_source:{name}": _data_source(source.notional.ticket)
            for name, source in settings.DATA_SOURCES.items()
            if source.notional.ticket
        },
    }


def _database() -> Part:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except AnyDatabaseError:
        return Part(False, "does not answer")
    return _seen(not missing, "migrations are missing: run manage.py migrate")


def _queue() -> tuple[Part, PartsAlive]:
    try:
        return Part(True), parts_alive()
    except redis.RedisError:
        return Part(False, "does not answer"), PartsAlive()


def _workers(alive: PartsAlive) -> Part:
    return _seen(not alive.unserved, f"nobody serves: {', '.join(alive.unserved)}")


def _kernel_host(alive: PartsAlive) -> Part:
    if alive.kernel_host_is_ready and alive.degraded:
        return Part(True, "degraded: some layers of confinement are off")
    return _seen(alive.kernel_host_is_ready, alive.kernel_host)


def _data_source(dsn: str) -> Part:
    if not dsn:
        return Part(False, "no login is configured")
    try:
        with psycopg.connect(dsn, connect_timeout=CONNECT_TIMEOUT_S) as login:
            login.execute("SELECT 1")
    except psycopg.Error:
        return Part(False, "does not let Countersign in")
    return Part(True)


def _seen(ready: bool, otherwise: str) -> Part:
    return Part(ready, "" if ready else otherwise)


class _Remembered:
    """The latest answer, shared by everybody who asks at about the same time."""

    def __init__(self, ask: Callable[[], dict[str, Part]]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._parts: dict[str, Part] = {}
        self._fresh_until = 0.0

    def parts(self) -> dict[str, Part]:
        """Return what is known, asking again when it is too old."""
        with self._lock:
            if time.monotonic() >= self._fresh_until:
                self._parts = self._ask()
                whole = all(part.ready for part in self._parts.values())
                stays_s = REMEMBER_S if whole else REMEMBER_MISSING_S
                self._fresh_until = time.monotonic() + stays_s
            return self._parts


_remembered = _Remembered(all_parts)


def remembered_parts() -> dict[str, Part]:
    """Return every part as it was at most `REMEMBER_S` ago."""
    return _remembered.parts()
