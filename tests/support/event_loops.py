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


class Connections:
    """Django's connections of tests without a browser, seen across browser tests."""

    #: Set by a browser test: it has connections of its own, and a database that it made
    #: anew has cut these.
    may_be_cut = False

    @classmethod
    def renew(cls) -> None:
        """Close those that may have been cut; the next query opens another."""
        if cls.may_be_cut:
            connections.close_all()
            cls.may_be_cut = False


@contextmanager
def hidden_loop() -> Iterator[None]:
    """Let a test without a browser start event loops of its own.

    Playwright's loop stays the running one of this thread until the session ends, so
    that which tests came before would decide whether an async one can run.  Django keeps
    other connections where a loop runs.
    """
    running = asyncio._get_running_loop()
    if running is None:
        yield
        return
    asyncio._set_running_loop(None)
    Connections.renew()
    try:
        yield
    finally:
        asyncio._set_running_loop(running if running.is_running() else None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Any:
    """Hide the browser's event loop from tests that drive none."""
    if needs_browser(item):
        Connections.may_be_cut = True
        return (yield)
    with hidden_loop():
        return (yield)
