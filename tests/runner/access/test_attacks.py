"""What the login of a run may not do, tried as a doctor's run with the read-only default lifted.

The numbers are those of the attack catalogue in docs/adr/0004-one-login-per-run.md. Lifting the
default first matters: read-only would hide a missing REVOKE behind another refusal.
"""

import psycopg
import pytest
from psycopg import errors

from runner.access.leases import close_lease
from tests.runner.access.conftest import connect

pytestmark = pytest.mark.security

DENIED = "42501"

REFUSED_STATEMENTS = {
    "D01 become another persona": "SET ROLE p_billing",
    "D02 become the own persona": "SET ROLE p_doctor",
    "D03 become the owner": "SET ROLE clinic_owner",
    "D04 become the superuser": "SET ROLE postgres",
    "D06 change the session's user": "SET SESSION AUTHORIZATION postgres",
    "D08 set the role as a setting": "SELECT set_config('role', 'p_billing', false)",
    "D11 read the runs": "SELECT * FROM countersign.runs",
    "D12 read the tickets": "SELECT * FROM countersign.tickets",
    "D12b read the people": "SELECT * FROM countersign.people",
    "D12c name people": "INSERT INTO countersign.people VALUES ('adams', 'billing', '')",
    "D13 open a run": "SELECT countersign.open_run(gen_random_uuid(), 'x')",
    "D13b close a run": "SELECT countersign.close_run(gen_random_uuid())",
    "D13c reap": "SELECT countersign.reap('{}')",
    "D13d grant a manifest": "SELECT countersign.grant_manifest('x', 'p_doctor', '{}')",
    "D13e list visible patients": "SELECT records.visible_patients()",
    "D14 make a temporary table": "CREATE TEMP TABLE stash (x text)",
    "D15 make a temporary function": "CREATE FUNCTION pg_temp.f() RETURNS int"
    " LANGUAGE sql AS 'SELECT 1'",
    "D16 make a table in public": "CREATE TABLE public.stash (x text)",
    "D16b make a table in clinic": "CREATE TABLE clinic.stash (x text)",
    "D17 make a schema": "CREATE SCHEMA stash",
    "D18 install a trusted extension": "CREATE EXTENSION pg_trgm SCHEMA clinic",
    "D19 run a block": "DO $$ BEGIN NULL; END $$",
    "D19b write a plpgsql function": "CREATE FUNCTION clinic.f() RETURNS int"
    " LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'",
    "D20 make a large object": "SELECT lo_create(0)",
    "D21 store bytes in a large object": "SELECT lo_from_bytea(0, 'x')",
    "D22 import a file": "SELECT lo_import('/etc/passwd')",
    "D22b read a large object": "SELECT loread(0, 1)",
    "D22c write a large object": "SELECT lowrite(0, 'x')",
    "D24 notify by function": "SELECT pg_notify('channel', 'x')",
    "D25 take an advisory lock": "SELECT pg_advisory_lock(1)",
    "D25b try an advisory lock": "SELECT pg_try_advisory_xact_lock(1)",
    "D26 write into the log stream": "SELECT pg_logical_emit_message(false, 'x', 'x')",
    "D26b export a snapshot": "SELECT pg_export_snapshot()",
    "D26c take a transaction number": "SELECT pg_current_xact_id()",
    "D26c2 take a transaction number, the old way": "SELECT txid_current()",
    "D26c3 draw from a sequence": "SELECT nextval(0::oid::regclass)",
    "D26c4 look at a sequence": "SELECT currval(0::oid::regclass)",
    "D26c5 set a sequence": "SELECT setval(0::oid::regclass, 1)",
    "D26c6 look at the last sequence": "SELECT lastval()",
    "D26d read tables as XML": "SELECT query_to_xml('SELECT 1', true, true, '')",
    "D26e hold the connection": "SELECT pg_sleep(0)",
    "D27 run a program": "COPY (SELECT 1) TO PROGRAM 'id'",
    "D28 write a file": "COPY (SELECT 1) TO '/tmp/stash'",
    "D29 read a file": "SELECT pg_read_file('/etc/passwd')",
    "D30 list a folder": "SELECT pg_ls_dir('.')",
    "D31 look at a file": "SELECT pg_stat_file('PG_VERSION')",
    "D32 load a library": "LOAD 'auto_explain'",
    "D35 prolong the own login": "ALTER ROLE {me} VALID UNTIL 'infinity'",
    "D36 lift the connection limit": "ALTER ROLE {me} CONNECTION LIMIT 100",
    "D37 bypass row security": "ALTER ROLE {me} BYPASSRLS",
    "D37b rename another login": "ALTER ROLE cs_web RENAME TO somebody",
    "D38 give the persona away": "GRANT p_doctor TO cs_web",
    "D39 give the own login away": "GRANT {me} TO cs_web",
    "D40 make a role": "CREATE ROLE somebody",
    "D41 switch row security off": "ALTER TABLE clinic.patients DISABLE ROW LEVEL SECURITY",
    "D42 write a policy": "CREATE POLICY mine ON clinic.patients USING (true)",
    "D43 make a view": "CREATE VIEW clinic.mine AS SELECT 1",
    "D43b publish changes": "CREATE PUBLICATION mine",
    "D43c collect statistics": "CREATE STATISTICS clinic.mine ON sex, zip FROM clinic.patients",
    "D44 comment": "COMMENT ON TABLE clinic.patients IS 'x'",
    "D45 take objects over": "REASSIGN OWNED BY clinic_owner TO {me}",
    "D45b reach another server": "CREATE FOREIGN DATA WRAPPER mine",
    "D46 insert": "INSERT INTO clinic.departments VALUES ('x', 'x', 'adams')",
    "D47 update": "UPDATE clinic.patients SET attending = 'adams'",
    "D47b delete": "DELETE FROM clinic.patients",
    "D48 merge": "MERGE INTO clinic.patients p USING clinic.patients q"
    " ON p.patient_id = q.patient_id WHEN MATCHED THEN UPDATE SET attending = 'adams'",
    "D49 truncate": "TRUNCATE clinic.patients",
    "D50 lock rows": "SELECT * FROM clinic.patients FOR UPDATE",
    "D51 lock a table for writing": "LOCK TABLE clinic.patients IN ROW EXCLUSIVE MODE",
    "D52 read passwords": "SELECT * FROM pg_authid",
    "D52b read passwords by view": "SELECT * FROM pg_shadow",
    "D53 read value statistics": "SELECT * FROM pg_statistic",
    "D54 read who may connect": "SELECT * FROM pg_hba_file_rules",
    "D54b read where the data lies": "SHOW data_directory",
    "D64 end another session": "SELECT pg_terminate_backend(1)",
    "D64b cancel another session": "SELECT pg_cancel_backend(1)",
    "D65 watch other sessions": "SELECT * FROM pg_stat_activity",
    "D65b watch what others lock": "SELECT * FROM pg_locks",
    "D80 reload the server": "SELECT pg_reload_conf()",
    "D80b switch the log": "SELECT pg_switch_wal()",
    "D80c start a backup": "SELECT pg_backup_start('x')",
    "limit on temporary files": "SET temp_file_limit = '1TB'",
    "read the base table of notes": "SELECT * FROM records.notes",
    "read the anonymised counts": "SELECT * FROM anon.diagnoses",
    "read invoices": "SELECT * FROM clinic.invoices",
}


#: What billing may not see, reached for in every way.
HIDDEN_FROM_BILLING = (
    "SELECT * FROM clinic.patients",
    "SELECT patient_id FROM clinic.patients WHERE name = 'x'",
    "SELECT patient_id FROM clinic.patients ORDER BY birth_date",
    "SELECT count(*) FROM clinic.patients p JOIN clinic.patients q USING (attending)",
    "SELECT p::text FROM clinic.patients p",
    "SELECT to_json(p) FROM clinic.patients p",
    "SELECT row(p.*) FROM clinic.patients p",
    "SELECT xmin, ctid FROM clinic.patients",
    "SELECT max(sex) FROM clinic.patients",
    "TABLE clinic.patients",
    "COPY clinic.patients TO STDOUT",
)


@pytest.mark.parametrize("attack", REFUSED_STATEMENTS)
def test_a_run_is_refused(doctor, attack):
    statement = REFUSED_STATEMENTS[attack].replace("{me}", doctor.lease.role)
    with (
        pytest.raises(psycopg.Error) as refusal,
        doctor.connection.transaction(force_rollback=True),
    ):
        doctor.connection.execute(statement)
    assert refusal.value.sqlstate == DENIED, refusal.value


@pytest.mark.parametrize(
    "statement", ["RESET ROLE", "RESET SESSION AUTHORIZATION", "SET ROLE NONE"]
)
def test_d05_d07_resetting_the_role_changes_nothing(doctor, statement):
    doctor.connection.execute(statement)
    assert doctor.rows("SELECT session_user, current_user") == [
        (doctor.lease.role, doctor.lease.role)
    ]


def test_d08_connection_options_cannot_set_a_role(doctor):
    with pytest.raises(psycopg.OperationalError):
        connect(doctor.lease, options="-c role=p_billing")


@pytest.mark.parametrize(
    "table", ["clinic.patients", "clinic.lab_results", "clinic.notes"]
)
def test_d09_row_security_cannot_be_switched_off(doctor, table):
    with doctor.connection.transaction(force_rollback=True):
        doctor.connection.execute("SET LOCAL row_security = off")
        with pytest.raises(errors.InsufficientPrivilege):
            doctor.connection.execute(f"SELECT * FROM {table}")


def test_d10_no_setting_makes_a_run_somebody_else(doctor):
    own = doctor.value("SELECT count(*) FROM clinic.patients")
    with doctor.connection.transaction(force_rollback=True):
        for name in ("app.user", "countersign.username", "countersign.department"):
            doctor.value("SELECT set_config(%s, 'baker', false)", name)
        assert doctor.value("SELECT count(*) FROM clinic.patients") == own


def test_d23_notify_reaches_another_run_on_a_primary_as_documented(open_run):
    """A residual: PostgreSQL has no right to revoke it; a hot standby refuses it."""
    sender, listener = open_run("adams"), open_run("baker")
    listener.connection.execute("LISTEN channel")
    sender.connection.execute("NOTIFY channel, 'leak'")
    heard = [
        note.payload for note in listener.connection.notifies(timeout=5, stop_after=1)
    ]
    assert heard == ["leak"]


def test_d33_a_password_that_a_run_sets_dies_with_it(open_run, hospital):
    """A residual on a primary: useless, because the login is dropped when the run ends."""
    run = open_run("adams")
    run.connection.execute(f"ALTER ROLE {run.lease.role} PASSWORD 'mine'")
    close_lease(hospital, run_id=run.run_id)
    with pytest.raises(psycopg.OperationalError):
        connect(run.lease, password="mine")


def test_d34_a_setting_stashed_on_the_login_dies_with_it(open_run, hospital):
    """A residual on a primary: another run can read it until the first one ends."""
    run, other = open_run("adams"), open_run("baker")
    run.connection.execute(f"ALTER ROLE {run.lease.role} SET search_path = 'stash'")
    stash = "SELECT count(*) FROM pg_db_role_setting s WHERE 'search_path=stash' = ANY (s.setconfig)"
    assert other.value(stash) == 1
    close_lease(hospital, run_id=run.run_id)
    assert other.value(stash) == 0


def test_d38_a_persona_cannot_be_given_to_everybody(doctor):
    with pytest.raises(psycopg.Error):
        doctor.connection.execute("GRANT p_doctor TO PUBLIC")


def test_d45_dropping_what_it_owns_leaves_a_run_as_it_was(open_run):
    run = open_run("adams")
    before = run.value("SELECT count(*) FROM clinic.patients")
    run.connection.execute(f"DROP OWNED BY {run.lease.role}")
    assert run.value("SELECT count(*) FROM clinic.patients") == before


def test_d51_a_reading_lock_ends_with_the_run(open_run, hospital, owner):
    run = open_run("adams")
    run.connection.execute("BEGIN")
    run.connection.execute("LOCK TABLE clinic.patients IN ACCESS SHARE MODE")
    close_lease(hospital, run_id=run.run_id)
    with owner.transaction(force_rollback=True):
        owner.execute("LOCK TABLE clinic.patients IN ACCESS EXCLUSIVE MODE NOWAIT")


def test_d54_value_statistics_of_protected_tables_are_hidden(doctor):
    assert (
        doctor.value("SELECT count(*) FROM pg_stats WHERE schemaname = 'clinic'") == 0
    )


@pytest.mark.parametrize(
    ("table", "column", "common", "absent"),
    [
        ("clinic.encounters", "diagnosis_code", "I10", "zzz"),
        ("clinic.patients", "insurer", "Medicare", "zzz"),
        ("clinic.patients", "attending", "baker", "zzz"),
        ("clinic.prescriptions", "drug", "metformin", "zzz"),
        ("clinic.lab_results", "patient_id", "17", "-1"),
    ],
)
def test_d55_explain_does_not_tell_how_often_a_value_occurs(
    doctor, table, column, common, absent
):
    def estimate(value: str) -> int:
        plan = doctor.value(
            f"EXPLAIN (FORMAT json) SELECT * FROM {table} WHERE {column} = '{value}'"
        )
        return plan[0]["Plan"]["Plan Rows"]

    assert estimate(common) == estimate(absent)


@pytest.mark.parametrize(
    "oracle",
    [
        "1 / (CASE WHEN patient_id = %s THEN 0 ELSE 1 END) = 1",
        "(CASE WHEN patient_id = %s THEN name ELSE '1' END)::integer = 1",
    ],
)
def test_d56_an_error_cannot_tell_that_a_hidden_row_exists(doctor, owner, oracle):
    hidden = owner.execute(
        "SELECT patient_id FROM clinic.patients WHERE attending = 'baker' LIMIT 1"
    ).fetchone()
    doctor.value(f"SELECT count(*) FROM clinic.patients WHERE {oracle}", hidden[0])


def test_d57_the_size_of_a_table_is_readable_as_documented(doctor):
    """A residual: how many patients a hospital has, not who they are."""
    assert doctor.value(
        "SELECT reltuples FROM pg_class WHERE oid = 'clinic.patients'::regclass"
    ) == pytest.approx(5000, rel=0.01)


@pytest.mark.parametrize("statement", HIDDEN_FROM_BILLING)
def test_d58_billing_reaches_no_hidden_column(open_run, statement):
    run = open_run("bill", "billing")
    with pytest.raises(errors.InsufficientPrivilege):
        run.connection.execute(statement)


def test_d59_a_data_scientist_sees_counts_of_eleven_and_more_only(open_run):
    run = open_run("ada", "data_scientist")
    for table in ("clinic.patients", "clinic.encounters", "records.notes"):
        with pytest.raises(errors.InsufficientPrivilege):
            run.connection.execute(f"SELECT count(*) FROM {table}")
    assert run.value("SELECT min(patients) FROM anon.diagnoses") >= 11
    assert run.value("SELECT min(patients) FROM anon.prescriptions_by_month") >= 11


def test_d60_a_third_connection_is_refused(open_run):
    run = open_run("adams")
    with connect(run.lease), pytest.raises(psycopg.OperationalError):
        connect(run.lease)


@pytest.mark.parametrize("database", ["postgres", "template1", "notional"])
def test_d60_a_run_connects_to_its_own_database_only(doctor, database):
    with pytest.raises(psycopg.OperationalError):
        connect(doctor.lease, dbname=database)


def test_d60_a_run_is_no_replica(doctor):
    with pytest.raises(psycopg.OperationalError):
        connect(doctor.lease, replication="database")


def test_d61_a_run_has_exactly_one_persona(open_run, owner):
    """Two would multiply: rows of one times columns of the other."""
    run = open_run("helen", "department_head")
    roles = owner.execute(
        "SELECT g.rolname, a.inherit_option, a.set_option, a.admin_option"
        " FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid"
        " JOIN pg_roles m ON m.oid = a.member WHERE m.rolname = %s ORDER BY 1",
        (run.lease.role,),
    ).fetchall()
    assert roles == [
        ("cs_run_hospital", True, False, False),
        ("p_department_head", True, False, False),
        ("rls_department_head", True, False, False),
    ]


def test_the_login_of_a_run_has_no_attribute(doctor, owner):
    attributes = owner.execute(
        "SELECT rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,"
        " rolconnlimit, rolvaliduntil, rolpassword LIKE 'SCRAM-SHA-256$%%'"
        " FROM pg_authid WHERE rolname = %s",
        (doctor.lease.role,),
    ).fetchone()
    assert attributes == (*[False] * 6, 2, doctor.lease.expires_at, True)


def test_d37_a_run_cannot_rename_itself(doctor):
    with pytest.raises(errors.FeatureNotSupported):
        doctor.connection.execute(f"ALTER ROLE {doctor.lease.role} RENAME TO somebody")


def test_d80_a_run_cannot_change_the_server(doctor):
    with pytest.raises(errors.InsufficientPrivilege):
        doctor.connection.execute("ALTER SYSTEM SET log_statement = 'none'")


def test_a_run_cannot_fill_the_disk(doctor):
    """temp_file_limit is the one resource limit that SQL cannot lift, not for the login either."""
    assert doctor.value("SHOW temp_file_limit") == "2GB"
    with pytest.raises(errors.InsufficientPrivilege):
        doctor.connection.execute(
            f"ALTER ROLE {doctor.lease.role} RESET temp_file_limit"
        )
    assert doctor.value("SHOW temp_file_limit") == "2GB"


def test_d80_a_transaction_cannot_be_prepared(doctor):
    with pytest.raises(psycopg.Error) as refusal, doctor.connection.transaction():
        doctor.connection.execute("PREPARE TRANSACTION 'x'")
    assert refusal.value.sqlstate == "55000"  # max_prepared_transactions is 0
