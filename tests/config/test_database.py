"""The database that tests and production sign in to, and as whom."""

import psycopg
import pytest
from django.db import connection

from accounts.models import User


@pytest.mark.django_db
def test_django_signs_in_as_the_runtime_role_and_not_as_the_owner():
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user, current_user")
        assert cursor.fetchone() == ("countersign_app", "countersign_app")


@pytest.mark.django_db
def test_the_runtime_role_owns_nothing_and_may_make_nothing():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relowner = 'countersign_app'::regrole"
        )
        assert cursor.fetchone() == (0,)
        cursor.execute(
            "SELECT has_schema_privilege('public', 'CREATE'),"
            " has_database_privilege(current_database(), 'CREATE'),"
            " has_database_privilege(current_database(), 'TEMPORARY'),"
            " pg_has_role('countersign_owner', 'MEMBER'),"
            " pg_has_role('countersign_audit', 'MEMBER')"
        )
        assert cursor.fetchone() == (False, False, False, False, False)


def test_commits_are_seen_by_other_connections(committed_db, ada, django_db_blocker):
    with psycopg.connect(**_parameters()) as other:
        rows = other.execute("SELECT username FROM accounts_user").fetchall()
    assert rows == [("ada",)]


@pytest.mark.django_db
def test_nothing_committed_is_left_for_the_next_test():
    assert not User.objects.exists()


def _parameters():
    wanted = connection.get_connection_params()
    return {
        name: wanted[name] for name in ("dbname", "user", "password", "host", "port")
    }
