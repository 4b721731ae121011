"""A superuser's hands on this worker's database, for tampering."""

from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import pytest
from django.db import connections, transaction

from audit.log import record
from tests.support import environment, services

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture
def as_superuser(committed_db) -> Callable[[str], None]:
    """Run SQL as the superuser of the application cluster, triggers switched off."""

    def run(statements: str) -> None:
        dsn = services.application_server().dsn(environment.database())
        with psycopg.connect(dsn) as connection:
            connection.execute("ALTER TABLE audit.event DISABLE TRIGGER ALL")
            connection.execute("ALTER TABLE audit.checkpoint DISABLE TRIGGER ALL")
            connection.execute("ALTER TABLE audit.head DISABLE TRIGGER ALL")
            connection.execute(statements)
        connections["default"].ensure_connection()

    return run


@pytest.fixture
def ten_events(committed_db) -> None:
    """Ten events, committed."""
    for number in range(1, 11):
        with transaction.atomic():
            record("version.submitted", by=None, at=NOW, number=number)
