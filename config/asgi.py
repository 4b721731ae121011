"""The ASGI application that the web server loads."""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Requests are short and many, and opening a connection costs more than most of them.
os.environ.setdefault("DATABASE_POOL_SIZE", "16")

_pages = get_asgi_application()

from runner.sessions.socket import live_socket  # noqa: E402  # wants the applications

Message = MutableMapping[str, Any]


async def application(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Answer requests as Django does; every WebSocket is a live session's, or refused."""
    answer: Any = live_socket if scope["type"] == "websocket" else _pages
    await answer(scope, receive, send)
