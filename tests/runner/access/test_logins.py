"""What Countersign's own three logins, and the role that creates roles, may not do."""

from contextlib import closing

import psycopg
import pytest
from psycopg import errors

from runner.access.errors import LeaseRefused
from runner.access.identities import PersonAssignment, sync_identities
from runner.access.leases import open_lease
from runner.access.scram import verifier
from tests.runner.access.conftest import ask, connect

pytestmark = pytest.mark.security

CLINICAL = [
    "SELECT * FROM clinic.patients",
    "SELECT * FROM clinic.notes",
    "SELECT * FROM records.notes",
    "SELECT * FROM anon.diagnoses",
]
EVERY_LOGIN = [
    *CLINICAL,
    "CREATE ROLE somebody",
    "SET ROLE p_doctor",
    "SET ROLE cs_roleadmin",
    "SET ROLE cs_schema",
    "SET ROLE cs_granter",
    "GRANT p_doctor TO {me}",
    "GRANT cs_run_hospital TO {me}",
    "ALTER ROLE {me} CREATEROLE",
    "ALTER ROLE {me} BYPASSRLS",
    "CREATE TEMP TABLE stash (x text)",
    "CREATE TABLE countersign.stash (x text)",
    "DO $$ BEGIN NULL; END $$",
    "SELECT pg_notify('x', 'x')",
    "SELECT lo_create(0)",
    "SELECT countersign.grant_manifest('{me}', 'p_doctor', '{}')",
    "SELECT countersign.create_login('r_x', 'x', now(), '{}')",
    "SELECT countersign.drop_login(gen_random_uuid(), 'cs_web')",
    "SELECT countersign.username()",
]
WEB = [
    "SELECT * FROM countersign.tickets",
    "SELECT run_id FROM countersign.tickets",
    "INSERT INTO countersign.tickets (run_id) VALUES (gen_random_uuid()) RETURNING *",
    "INSERT INTO countersign.tickets (run_id, redeemed_at) VALUES (gen_random_uuid(), now())",
    "UPDATE countersign.tickets SET redeemed_at = NULL",
    "DELETE FROM countersign.tickets",
    "SELECT * FROM countersign.runs",
    "SELECT * FROM countersign.people",
    "INSERT INTO countersign.people VALUES ('nora', 'doctor', '')",
    "SELECT countersign.open_run(gen_random_uuid(), 'x')",
    "SELECT countersign.close_run(gen_random_uuid())",
    "SELECT countersign.reap('{}')",
]
BROKER = [
    "SELECT * FROM countersign.tickets",
    "INSERT INTO countersign.tickets (run_id) VALUES (gen_random_uuid())",
    "UPDATE countersign.tickets SET redeemed_at = NULL",
    "SELECT * FROM countersign.runs",
    "UPDATE countersign.runs SET closed_at = NULL",
    "DELETE FROM countersign.runs",
    "INSERT INTO countersign.people VALUES ('nora', 'doctor', '')",
    "SELECT * FROM countersign.people",
    "INSERT INTO countersign.reviewed_views VALUES ('x', 'x', 'x')",
    "UPDATE countersign.installation SET kind = 'preview'",
    "DROP ROLE cs_web",
    "ALTER ROLE cs_web PASSWORD 'x'",
]
IDENTITY = [
    "SELECT * FROM countersign.tickets",
    "INSERT INTO countersign.tickets (run_id) VALUES (gen_random_uuid())",
    "SELECT * FROM countersign.runs",
    "INSERT INTO countersign.personas VALUES ('emperor')",
    "SELECT countersign.open_run(gen_random_uuid(), 'x')",
    "SELECT countersign.close_run(gen_random_uuid())",
    "SELECT countersign.reap('{}')",
]
ROLE_ADMIN = [
    "CREATE ROLE somebody SUPERUSER",
    "CREATE ROLE somebody BYPASSRLS",
    "CREATE ROLE somebody REPLICATION",
    "CREATE ROLE somebody CREATEDB",
    "GRANT pg_read_all_data TO p_doctor",
    "GRANT pg_execute_server_program TO p_doctor",
    "GRANT clinic_owner TO cs_web",
    "ALTER ROLE cs_web PASSWORD 'x'",
    "ALTER ROLE postgres PASSWORD 'x'",
    "SET ROLE p_doctor",
    "SET ROLE clinic_owner",
    "SELECT * FROM clinic.patients",
    "SELECT * FROM records.notes",
    "INSERT INTO countersign.people VALUES ('nora', 'doctor', '')",
    "UPDATE countersign.tickets SET persona = 'billing'",
    "UPDATE countersign.runs SET username = 'baker'",
    "DELETE FROM countersign.runs",
    "CREATE FUNCTION countersign.own() RETURNS int LANGUAGE sql AS 'SELECT 1'",
]
#: D70 to D79 as a run tries them: what a doctor may read, and every run may ask, aside.
REFUSED_TO_RUNS = {
    f"D70-D79 {statement}": statement
    for statement in (*EVERY_LOGIN, *WEB, *BROKER, *IDENTITY, *ROLE_ADMIN)
    if statement not in (*CLINICAL[:2], "SELECT countersign.username()")
}
REFUSALS = [
    (field, role, statement)
    for field, role, own in (
        ("ticket", "cs_web", WEB),
        ("broker", "cs_broker", BROKER),
        ("identity", "cs_identity", IDENTITY),
    )
    for statement in (*EVERY_LOGIN, *own)
]


@pytest.mark.parametrize(("field", "role", "statement"), REFUSALS)
def test_d70_d78_a_login_of_countersign_is_refused(hospital, field, role, statement):
    with (
        psycopg.connect(getattr(hospital, field), autocommit=True) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        connection.execute(statement.replace("{me}", role))


@pytest.mark.parametrize(
    "password",
    [
        "hunter2",
        "",
        "SCRAM-SHA-256$4096:x",
        "md5" + "0" * 32,
        "SCRAM-SHA-256$4096:a$b:c'; --",
    ],
)
def test_d72_the_broker_cannot_open_a_login_with_a_password(hospital, password):
    run_id = ask(hospital)
    with (
        psycopg.connect(hospital.broker, autocommit=True) as connection,
        pytest.raises(psycopg.Error) as refusal,
    ):
        connection.execute("SELECT countersign.open_run(%s, %s)", (run_id, password))
    assert refusal.value.sqlstate == "CS006"


def test_the_broker_gains_nothing_by_its_own_settings(hospital, owner):
    """createrole_self_grant could make cs_roleadmin a member of every run."""
    run_id = ask(hospital)
    with closing(psycopg.connect(hospital.broker, autocommit=True)) as connection:
        connection.execute("SET createrole_self_grant = 'set, inherit'")
        connection.execute("SET search_path = 'pg_temp'")
        connection.execute(
            "SELECT countersign.open_run(%s, %s)", (run_id, verifier("x"))
        )
        members = owner.execute(
            "SELECT a.inherit_option OR a.set_option FROM pg_auth_members a"
            " JOIN pg_roles g ON g.oid = a.roleid WHERE g.rolname = %s",
            (f"r_{run_id.hex}",),
        ).fetchall()
        while connection.execute(
            "SELECT countersign.close_run(%s)", (run_id,)
        ).fetchone() != ("closed",):
            pass
    assert members == [(False,)]


@pytest.mark.parametrize("statement", ROLE_ADMIN)
def test_d79_the_role_that_creates_roles_can_do_little_else(data_cluster, statement):
    with psycopg.connect(
        data_cluster.hospital_owner_dsn, autocommit=True
    ) as connection:
        connection.execute("SET SESSION AUTHORIZATION cs_roleadmin")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM clinic.patients",
        "SELECT count(name) FROM clinic.patients",
        "SELECT * FROM clinic.notes",
        "SELECT * FROM records.notes",
    ],
)
def test_the_role_that_grants_columns_sees_no_row(data_cluster, statement):
    with psycopg.connect(
        data_cluster.hospital_owner_dsn, autocommit=True
    ) as connection:
        connection.execute("SET SESSION AUTHORIZATION cs_granter")
        try:
            rows = connection.execute(statement).fetchall()
        except errors.InsufficientPrivilege:
            return
    assert rows in ([], [(0,)])


@pytest.mark.parametrize(
    "role", ["cs_roleadmin", "cs_schema", "cs_granter", "cs_run_hospital"]
)
def test_nobody_logs_in_as_or_becomes_a_role_that_keeps_the_rules(owner, role):
    members = owner.execute(
        "SELECT m.rolname FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid"
        " JOIN pg_roles m ON m.oid = a.member WHERE g.rolname = %s AND a.set_option",
        (role,),
    ).fetchall()
    can_login = owner.execute(
        "SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", (role,)
    ).fetchone()
    assert (members, can_login) == ([], (False,))


def test_taking_a_persona_away_ends_what_its_open_run_reads(
    hospital, open_run, data_cluster
):
    everybody = _people(data_cluster)
    sync_identities(
        hospital, [*everybody, PersonAssignment("temp", "doctor", "cardiology")]
    )
    try:
        run = open_run("temp", "doctor")
        assert run.value("SELECT count(*) FROM clinic.departments") == 8
    finally:
        result = sync_identities(hospital, everybody)
    assert result.removed == [PersonAssignment("temp", "doctor", "cardiology")]
    assert run.value("SELECT count(*) FROM clinic.departments") == 0
    with connect(run.lease) as second:
        assert second.execute("SELECT count(*) FROM clinic.departments").fetchone() == (
            0,
        )


def test_identities_are_synced_whole_or_not_at_all(hospital, data_cluster):
    before = _people(data_cluster)
    with pytest.raises(LeaseRefused):
        sync_identities(hospital, [PersonAssignment("temp", "emperor")])
    assert _people(data_cluster) == before
    assert sync_identities(hospital, before).added == []


def test_a_changed_department_is_reported_as_changed(hospital, data_cluster):
    before = _people(data_cluster)
    moved = [
        PersonAssignment(
            p.username, p.persona, "oncology" if p.username == "lena" else p.department
        )
        for p in before
    ]
    try:
        assert sync_identities(hospital, moved).changed == [
            PersonAssignment("lena", "lab", "oncology")
        ]
    finally:
        sync_identities(hospital, before)


def _people(data_cluster) -> list[PersonAssignment]:
    with psycopg.connect(data_cluster.hospital_owner_dsn) as connection:
        rows = connection.execute(
            "SELECT username, persona, department FROM countersign.people ORDER BY 1, 2"
        )
        return [PersonAssignment(*row) for row in rows]


def test_the_scram_verifier_lets_the_password_in(hospital, open_run):
    """PostgreSQL itself agrees with our arithmetic: the run logged in with it."""
    assert open_run("adams").value("SELECT 1") == 1


def test_an_opened_run_is_not_opened_by_the_web_login(hospital):
    run_id = ask(hospital)
    with (
        psycopg.connect(hospital.ticket, autocommit=True) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        connection.execute(
            "SELECT * FROM countersign.open_run(%s, %s)", (run_id, verifier("x"))
        )
    with pytest.raises(LeaseRefused):
        open_lease(type(hospital)(broker=hospital.ticket), run_id=run_id)
