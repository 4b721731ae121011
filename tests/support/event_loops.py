"""Keep the event loop of the browser from tests that drive none."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections


def needs_browser(item: pytest.Item) -> bool:
    """Tell whether a test drives Chromium."""
    return "_chromium" in getattr(item, "fixturenames", ())


@contextmanager
def hidden_loop() -> Iterator[None]:
    """Let a test without a browser start event loops of its own.

    Playwright's loop stays the running one of this thread until the session ends, so
    that which tests came before would decide whether an async one can run.  Django keeps
    other connections where a loop runs; those from before may have been cut since.
    """
    running = asyncio._get_running_loop()
    if running is None:
        yield
        return
    asyncio._set_running_loop(None)
    connections.close_all()
    try:
        yield
    finally:
        asyncio._set_running_loop(running if running.is_running() else None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Any:
    """Hide the browser's event loop from tests that drive none."""
    if needs_browser(item):
        return (yield)
    with hidden_loop():
        return (yield)
