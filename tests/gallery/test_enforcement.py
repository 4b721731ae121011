"""What PostgreSQL refuses to do to a version, whoever asks."""

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import User
from gallery.models import Notebook, Version
from gallery.workflow import TRANSITIONS, Status
from tests.rows import NOW, approve, notebook_row, set_status, version_row

pytestmark = pytest.mark.django_db

FIXED = sorted(
    {field.attname for field in Version._meta.concrete_fields}
    - {
        "status",
        "submitted_at",
        "approved_at",
        "approval_expires_at",
        "ended_at",
        "end_reason",
    }
)


@pytest.fixture
def version(ada: User) -> Version:
    return version_row(notebook_row(ada), ada)


def refused(statement: str, *parameters: object) -> str:
    """Run a statement as the runtime role and return its SQLSTATE."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
    cause = caught.value.__cause__
    assert isinstance(cause, psycopg.Error)
    return str(cause.sqlstate)


@pytest.mark.parametrize("column", FIXED)
def test_the_runtime_role_may_not_write_a_fixed_column(
    version: Version, column: str
) -> None:
    statement = f"UPDATE gallery_version SET {column} = {column}"
    assert refused(statement) == "42501"


def test_the_runtime_role_may_not_delete_a_version(version: Version) -> None:
    assert refused("DELETE FROM gallery_version") == "42501"


def test_the_runtime_role_may_not_truncate_versions(version: Version) -> None:
    assert refused("TRUNCATE gallery_version CASCADE") == "42501"


def test_the_runtime_role_may_not_delete_a_notebook(version: Version) -> None:
    assert refused("DELETE FROM gallery_notebook") == "42501"


def test_a_version_starts_as_a_draft(ada: User) -> None:
    notebook = notebook_row(ada)
    with pytest.raises(DatabaseError, match="starts as a draft"):
        version_row(notebook, ada, status=Status.APPROVED)


@pytest.mark.parametrize("to", sorted(Status))
def test_a_draft_goes_only_where_the_table_says(version: Version, to: str) -> None:
    allowed = to in TRANSITIONS[Status.DRAFT] or to == Status.DRAFT
    if allowed:
        set_status(version, to)
    else:
        with pytest.raises(DatabaseError, match="cannot go from"), transaction.atomic():
            set_status(version, to)


def test_the_database_knows_the_same_moves_as_the_code() -> None:
    with connection.cursor() as cursor:
        for status in Status:
            cursor.execute("SELECT version_moves(%s)", [status.value])
            (moves,) = cursor.fetchone()
            assert set(moves) == {str(to) for to in TRANSITIONS[status]}, status


def test_a_number_is_used_once_per_notebook(version: Version, ada: User) -> None:
    with pytest.raises(DatabaseError, match="version_number_once"):
        version_row(Notebook.objects.get(), ada, number=1)


@pytest.mark.parametrize(
    ("column", "value"),
    [("slug", "'other'"), ("created_at", "now()"), ("created_by_id", "{ravi}")],
)
def test_who_made_the_entry_and_its_address_never_change(
    version: Version, ravi: User, column: str, value: str
) -> None:
    value = value.format(ravi=ravi.pk)
    assert refused(f"UPDATE gallery_notebook SET {column} = {value}") == "23001"


@pytest.mark.parametrize("column", ["title", "description"])
def test_what_was_signed_of_the_entry_stays_while_it_is_approved(
    version: Version, column: str, ravi: User, petra: User, carol: User
) -> None:
    change = f"UPDATE gallery_notebook SET {column} = 'Reads nothing about patients'"
    with connection.cursor() as cursor:
        cursor.execute(change)
    approve(version, carol, ravi, petra)
    other = f"UPDATE gallery_notebook SET {column} = 'Another'"
    assert refused(other) == "23001"
    set_status(version, "revoked")
    with connection.cursor() as cursor:
        cursor.execute(other)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("approval_expires_at", "approval_expires_at + interval '50 years'"),
        ("approved_at", "now()"),
        ("submitted_at", "now()"),
        ("ended_at", "now()"),
        ("end_reason", "'never'"),
    ],
)
@pytest.mark.parametrize("status", ["draft", "approved", "revoked"])
def test_times_move_with_the_status_only(
    version: Version,
    status: str,
    column: str,
    value: str,
    ravi: User,
    petra: User,
    carol: User,
) -> None:
    if status == "draft":
        value = value.replace("approval_expires_at +", "now() +")
    else:
        approve(version, carol, ravi, petra)
    if status == "revoked":
        set_status(version, "revoked", ended_at=NOW, end_reason="Counts twice.")
    assert refused(f"UPDATE gallery_version SET {column} = {value}") == "23001"


def test_an_end_does_not_take_the_approval_s_times(
    version: Version, ravi: User, petra: User, carol: User
) -> None:
    approve(version, carol, ravi, petra)
    for column in ("approval_expires_at", "approved_at"):
        change = f"UPDATE gallery_version SET status = 'revoked', {column} = now()"
        assert refused(change) == "23001"
