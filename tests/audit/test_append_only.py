"""Nobody but the append function writes the log: not the runtime role, not the owner."""

import psycopg
import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from audit.log import record
from audit.models import Checkpoint, Event, Head, ReadOnly
from audit.verify import verify_log
from tests.audit.conftest import NOW
from tests.support import environment, services

pytestmark = pytest.mark.security

WRITES = [
    "UPDATE audit.event SET actor = 'somebody'",
    "DELETE FROM audit.event",
    "DELETE FROM audit.event WHERE seq = 5",
    "TRUNCATE audit.event",
    (
        "INSERT INTO audit.event SELECT 11, at, actor, actor_name, action, target_type,"
        " target_id, target_label, data, payload, previous_hash, 'x'"
        " FROM audit.event WHERE seq = 1"
    ),
    (
        "INSERT INTO audit.event SELECT * FROM audit.event"
        " ON CONFLICT (seq) DO UPDATE SET actor = 'somebody'"
    ),
    "MERGE INTO audit.event e USING (SELECT 1) x ON e.seq = 1 WHEN MATCHED THEN DELETE",
    "UPDATE audit.head SET seq = 0, hash = repeat('0', 64)",
    "DELETE FROM audit.head",
    "TRUNCATE audit.head",
    "INSERT INTO audit.head VALUES (false, 0, '')",
    "UPDATE audit.checkpoint SET note = ''",
    "DELETE FROM audit.checkpoint",
    "TRUNCATE audit.checkpoint",
    "INSERT INTO audit.checkpoint VALUES (1, '', now(), '')",
    "ALTER TABLE audit.event DISABLE TRIGGER event_append_only",
    "DROP TRIGGER event_append_only ON audit.event",
    "ALTER TABLE audit.event ADD COLUMN more text",
    "ALTER TABLE audit.event DROP CONSTRAINT event_pkey",
    "DROP TABLE audit.event",
    "DROP SCHEMA audit CASCADE",
    "CREATE TABLE audit.more (a int)",
    "CREATE RULE nothing AS ON INSERT TO audit.event DO INSTEAD NOTHING",
    (
        "CREATE OR REPLACE FUNCTION audit.append(payload text) RETURNS"
        " TABLE (new_seq bigint, new_hash text) LANGUAGE sql AS 'SELECT 1::bigint, ''x'''"
    ),
    "ALTER FUNCTION audit.append(text) SECURITY INVOKER",
    "SELECT * FROM audit.event FOR UPDATE",
    "LOCK TABLE audit.event IN ACCESS EXCLUSIVE MODE",
    "SET ROLE countersign_audit",
    "SET ROLE countersign_owner",
    "SET session_replication_role = replica",
]


@pytest.fixture
def ten_uncommitted(db):
    for number in range(10):
        record("a.b", by=None, at=NOW, number=number)


@pytest.mark.parametrize("statement", WRITES)
def test_the_runtime_role_cannot(ten_uncommitted, statement):
    with (
        pytest.raises(DatabaseError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    verdict = verify_log()
    assert verdict.is_whole
    assert verdict.checked == 10


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit.event SET actor = 'somebody'",
        "DELETE FROM audit.event",
        "TRUNCATE audit.event",
        "UPDATE audit.checkpoint SET note = ''",
        "DELETE FROM audit.checkpoint",
        "TRUNCATE audit.checkpoint",
        "INSERT INTO audit.head VALUES (false, 0, '')",
        "DELETE FROM audit.head",
        "TRUNCATE audit.head",
    ],
)
def test_the_role_that_owns_the_log_is_stopped_by_triggers(ten_events, statement):
    dsn = environment.application_dsn("countersign_owner", environment.database())
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("SET ROLE countersign_audit")
        with pytest.raises(psycopg.Error, match="append-only"):
            owner.execute(statement)
    assert verify_log().checked == 10


@pytest.mark.parametrize("table", ["event", "checkpoint", "head"])
def test_the_triggers_stay_on_when_a_replica_is_played(ten_events, table):
    dsn = services.application_server().dsn(environment.database())
    with psycopg.connect(dsn, autocommit=True) as superuser:
        superuser.execute("SET session_replication_role = replica")
        with pytest.raises(psycopg.Error, match="append-only"):
            superuser.execute(f"DELETE FROM audit.{table}")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM audit.event",
        "DELETE FROM audit.event",
        "SELECT audit.append('{}')",
    ],
)
def test_the_role_of_migrations_has_nothing_without_changing_role(
    ten_events, statement
):
    dsn = environment.application_dsn("countersign_owner", environment.database())
    with (
        psycopg.connect(dsn, autocommit=True) as owner,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        owner.execute(statement)


def test_nobody_else_may_append(ten_events):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.proname FROM pg_proc p"
            " JOIN pg_namespace n ON n.oid = p.pronamespace,"
            " aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a"
            " LEFT JOIN pg_roles r ON r.oid = a.grantee"
            " WHERE n.nspname = 'audit' AND coalesce(r.rolname, 'public')"
            " NOT IN ('countersign_app', 'countersign_audit')"
        )
        assert cursor.fetchall() == []


def test_the_functions_run_as_their_owner_with_a_pinned_search_path(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.proname, p.prosecdef, pg_get_userbyid(p.proowner), p.proconfig"
            " FROM pg_proc p WHERE p.pronamespace = 'audit'::regnamespace"
            " AND has_function_privilege('countersign_app', p.oid, 'EXECUTE')"
        )
        functions = cursor.fetchall()
    assert {name for name, *_ in functions} == {
        "append",
        "lock_head",
        "keep_checkpoint",
    }
    for _, is_definer, owner, config in functions:
        assert is_definer
        assert owner == "countersign_audit"
        assert config == ["search_path=pg_catalog, pg_temp"]


def test_a_search_path_of_the_caller_changes_nothing(ten_uncommitted):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL search_path = pg_temp, public")
        record("a.b", by=None, at=NOW)
    assert verify_log().checked == 11


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"at":"2026-01-01","actor":"","actor_name":"","action":"a.b"}',
        (
            '{"at":"2026-01-01","actor":"","actor_name":"","action":"a.b",'
            '"target_type":"","target_id":"","target_label":"","data":[]}'
        ),
        '{"at":"2026-01-01","actor":"","actor_name":"","action":"a.b",'
        '"target_type":"","target_id":"","target_label":"","data":{"a":"'
        + "x" * 9000
        + '"}}',
    ],
)
def test_the_append_function_refuses_what_is_no_event(ten_uncommitted, payload):
    with (
        pytest.raises(DatabaseError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT * FROM audit.append(%s)", [payload])
    assert verify_log().checked == 10


def test_the_models_refuse_to_write(ten_uncommitted):
    event = Event.objects.get(seq=1)
    for refused in (
        event.save,
        event.delete,
        Event.objects.all().delete,
        Event.objects.create,
        lambda: Event.objects.filter(seq=1).update(actor="x"),
        lambda: Event.objects.bulk_create([event]),
        lambda: Event.objects.bulk_update([event], ["actor"]),
        lambda: Event.objects.get_or_create(seq=99),
    ):
        with pytest.raises(ReadOnly):
            refused()


def test_the_log_has_no_foreign_keys(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE contype = 'f'"
            " AND connamespace = 'audit'::regnamespace"
        )
        assert cursor.fetchall() == []
    assert not [
        f for m in (Event, Head, Checkpoint) for f in m._meta.fields if f.is_relation
    ]
