"""Fixtures that every test may use: real services, the cast, a worker, a browser.

`@pytest.mark.django_db` rolls back.  Tests that need commits, threads or Celery use
`committed_db`: their database is afterwards made anew from the template, never truncated,
because the runtime role may not truncate.
"""

from collections.abc import Iterator

import pytest
import redis
from django.conf import settings
from django.db import connections

from accounts.models import User
from tests.support import cast, services

pytest_plugins = (
    "tests.support.fixtures",
    "tests.support.event_loops",
    "tests.support.order",
    "tests.support.strictness",
)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items):
    """Refuse the marker that would truncate tables."""
    for item in items:
        marker = item.get_closest_marker("django_db")
        if marker and marker.kwargs.get("transaction"):
            message = (
                f"{item.nodeid}: use the fixture committed_db, not transaction=True"
            )
            raise pytest.UsageError(message)
    return (yield)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker) -> Iterator[None]:
    """This worker's database, copied from the migrated template."""
    services.start_application()
    services.recreate_database()
    yield
    with django_db_blocker.unblock():
        connections.close_all()


@pytest.fixture
def committed_db(django_db_setup, django_db_blocker) -> Iterator[None]:
    """A database where commits are real; made anew afterwards."""
    with django_db_blocker.unblock():
        yield
        connections.close_all()
    services.recreate_database()
    with redis.Redis.from_url(settings.BROKER_URL) as broker:
        broker.flushdb()


@pytest.fixture
def _rows(request: pytest.FixtureRequest) -> None:
    """Rows may be written: committed for `committed_db`, else rolled back."""
    name = "committed_db" if "committed_db" in request.fixturenames else "db"
    request.getfixturevalue(name)


def _member(username: str):
    @pytest.fixture(name=username)
    def member(_rows: None) -> User:
        return cast.create(username)

    return member


ada, ravi, petra, carol, chen, adams, baker, helen, bill, lena, otto, iris, nora = (
    _member(username) for username in cast.BY_NAME
)
