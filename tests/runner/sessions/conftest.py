"""A live session of one person, its page's address, and its worker."""

import pytest

from runner.models import Run
from runner.sessions.tokens import Channel
from tests.runner.sessions import pages
from tests.support.fixtures import Site


@pytest.fixture
def run(_rows, adams) -> Run:
    """A live session that runs."""
    return pages.live_run(adams)


@pytest.fixture
def channel(run) -> Channel:
    """What its page knows."""
    return pages.channel_of(run)


@pytest.fixture
def door(site: Site, channel) -> pages.Door:
    """Where its page connects."""
    return pages.door(site, channel)
