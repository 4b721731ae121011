"""Every lint of the check, each by a fault that only it sees, with its repair."""

from dataclasses import dataclass

import psycopg
import pytest

from runner.access.check import LINTS, check_data_source, version_problems
from runner.access.errors import SourceUnavailable
from runner.access.identities import PersonAssignment, sync_identities
from runner.access.install import install
from tests.runner.access.conftest import end_sessions, opened, throwaway_database
from tests.runner.access.small_clinic import small_clinic

pytestmark = pytest.mark.security

NAME = "small_clinic"
MARKER = f"cs_run_{NAME}"


@dataclass(frozen=True)
class Fault:
    """What breaks a source, what repairs it, and what the check must say."""

    code: str
    break_it: str
    repair: str
    more: tuple[str, ...] = ()


FAULTS = [
    Fault(
        "rls_missing",
        "ALTER TABLE ward.patients DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE ward.patients ENABLE ROW LEVEL SECURITY",
    ),
    Fault(
        "rls_missing",
        "ALTER TABLE vault.diary DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE vault.diary ENABLE ROW LEVEL SECURITY",
    ),
    Fault(
        "rls_missing",
        "CREATE TABLE ward.parted (x integer) PARTITION BY LIST (x);"
        "CREATE TABLE ward.part PARTITION OF ward.parted FOR VALUES IN (1);"
        "ALTER TABLE ward.parted ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        f"CREATE POLICY live ON ward.parted AS RESTRICTIVE FOR SELECT TO {MARKER}"
        " USING (countersign.live());"
        f"CREATE POLICY live ON ward.part AS RESTRICTIVE FOR SELECT TO {MARKER}"
        " USING (countersign.live())",
        "DROP TABLE ward.parted",
    ),
    Fault(
        "rls_not_forced",
        "ALTER TABLE ward.patients NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE ward.patients FORCE ROW LEVEL SECURITY",
    ),
    Fault(
        "policy_for_public",
        "CREATE POLICY open ON ward.patients USING (true)",
        "DROP POLICY open ON ward.patients",
    ),
    Fault(
        "policy_for_public",
        f"CREATE POLICY open ON ward.patients TO {MARKER} USING (true)",
        "DROP POLICY open ON ward.patients",
    ),
    Fault(
        "policy_reads_setting",
        "CREATE POLICY setting ON ward.patients TO rls_lab"
        " USING (attending = current_setting('app.user'))",
        "DROP POLICY setting ON ward.patients",
    ),
    Fault(
        "live_policy_missing",
        "ALTER POLICY live ON ward.patients TO cs_schema",
        f"ALTER POLICY live ON ward.patients TO {MARKER}",
    ),
    Fault(
        "live_policy_missing",
        "ALTER POLICY live ON ward.patients USING (countersign.live() OR true)",
        "ALTER POLICY live ON ward.patients USING ((SELECT countersign.live()))",
    ),
    Fault(
        "live_policy_missing",
        "ALTER POLICY live ON vault.diary TO cs_schema",
        "ALTER POLICY live ON vault.diary TO diary_reader",
    ),
    Fault(
        "owner_rights_view",
        "CREATE VIEW ward.leak AS SELECT 1 AS one",
        "DROP VIEW ward.leak",
    ),
    Fault(
        "view_without_barrier",
        "ALTER VIEW ward.diary SET (security_barrier = false)",
        "ALTER VIEW ward.diary SET (security_barrier = true)",
    ),
    Fault(
        "materialized_view",
        "CREATE MATERIALIZED VIEW ward.kept AS SELECT 1 AS one",
        "DROP MATERIALIZED VIEW ward.kept",
    ),
    Fault(
        "foreign_table",
        "CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;"
        "CREATE FOREIGN TABLE ward.outside (x text) SERVER files OPTIONS (filename '/dev/null')",
        "DROP EXTENSION file_fdw CASCADE",
        more=("extension_not_allowed",),
    ),
    Fault(
        "leakproof_function",
        "CREATE FUNCTION vault.peek(text) RETURNS boolean LANGUAGE sql LEAKPROOF IMMUTABLE"
        " AS 'SELECT true'",
        "DROP FUNCTION vault.peek(text)",
    ),
    Fault(
        "frequencies_visible",
        "ALTER TABLE ward.patients ALTER diagnosis SET STATISTICS 100; ANALYZE ward.patients",
        "SELECT countersign.hide_frequencies('ward.patients')",
    ),
    Fault(
        "extended_statistics",
        "CREATE STATISTICS ward.together ON attending, diagnosis FROM ward.patients",
        "DROP STATISTICS ward.together",
    ),
    Fault(
        "public_table",
        "GRANT SELECT ON ward.patients TO PUBLIC",
        "REVOKE SELECT ON ward.patients FROM PUBLIC",
    ),
    Fault(
        "public_table",
        "GRANT SELECT (diagnosis) ON ward.patients TO PUBLIC",
        "REVOKE SELECT (diagnosis) ON ward.patients FROM PUBLIC",
    ),
    Fault(
        "public_schema",
        "GRANT USAGE ON SCHEMA public TO PUBLIC",
        "REVOKE USAGE ON SCHEMA public FROM PUBLIC",
    ),
    Fault(
        "public_language",
        "GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC",
        "REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC",
    ),
    Fault(
        "public_function",
        "GRANT EXECUTE ON FUNCTION pg_catalog.lo_create(oid) TO PUBLIC",
        "REVOKE EXECUTE ON FUNCTION pg_catalog.lo_create(oid) FROM PUBLIC",
    ),
    Fault(
        "public_database",
        f"GRANT CONNECT ON DATABASE {NAME} TO PUBLIC",
        f"REVOKE CONNECT ON DATABASE {NAME} FROM PUBLIC",
    ),
    Fault(
        "public_database",
        "GRANT CONNECT ON DATABASE postgres TO PUBLIC",
        "REVOKE CONNECT ON DATABASE postgres FROM PUBLIC",
    ),
    Fault(
        "definer_without_search_path",
        "ALTER FUNCTION countersign.close_run(uuid) RESET search_path",
        "ALTER FUNCTION countersign.close_run(uuid) SET search_path = pg_catalog, pg_temp",
    ),
    Fault(
        "definer_for_public",
        "GRANT EXECUTE ON FUNCTION countersign.close_run(uuid) TO PUBLIC",
        "REVOKE EXECUTE ON FUNCTION countersign.close_run(uuid) FROM PUBLIC",
    ),
    Fault(
        "persona_can_write",
        "GRANT UPDATE ON ward.patients TO p_doctor",
        "REVOKE UPDATE ON ward.patients FROM p_doctor",
    ),
    Fault(
        "persona_can_write",
        "GRANT CREATE ON SCHEMA ward TO p_doctor",
        "REVOKE CREATE ON SCHEMA ward FROM p_doctor",
    ),
    Fault(
        "policy_role_has_grants",
        "GRANT SELECT (patient_id) ON ward.patients TO rls_doctor",
        "REVOKE SELECT (patient_id) ON ward.patients FROM rls_doctor",
    ),
    Fault(
        "personas_not_apart",
        "GRANT p_billing TO p_doctor",
        "REVOKE p_billing FROM p_doctor",
    ),
    Fault(
        "personas_not_apart",
        "GRANT pg_read_all_data TO rls_lab",
        "REVOKE pg_read_all_data FROM rls_lab",
    ),
    Fault(
        "persona_has_members",
        "CREATE ROLE etl LOGIN; GRANT p_doctor TO etl",
        "DROP ROLE etl",
    ),
    Fault(
        "role_too_strong",
        "ALTER ROLE cs_broker BYPASSRLS",
        "ALTER ROLE cs_broker NOBYPASSRLS",
    ),
    Fault(
        "role_too_strong",
        "ALTER ROLE cs_web SUPERUSER",
        "ALTER ROLE cs_web NOSUPERUSER",
    ),
    Fault(
        "role_too_strong", "ALTER ROLE p_doctor LOGIN", "ALTER ROLE p_doctor NOLOGIN"
    ),
    Fault(
        "role_too_strong",
        "ALTER ROLE cs_roleadmin LOGIN",
        "ALTER ROLE cs_roleadmin NOLOGIN",
    ),
    Fault(
        "role_has_members",
        "GRANT cs_roleadmin TO cs_broker",
        "REVOKE cs_roleadmin FROM cs_broker",
    ),
    Fault(
        "unknown_run_role",
        f"CREATE ROLE r_{'0' * 32} LOGIN",
        f"DROP ROLE r_{'0' * 32}",
    ),
    Fault(
        "extension_not_allowed",
        "CREATE EXTENSION pg_trgm SCHEMA vault",
        "DROP EXTENSION pg_trgm",
    ),
    Fault(
        "manifest_grants_missing",
        "REVOKE SELECT ON ward.patients FROM cs_granter;"
        "REVOKE SELECT (patient_id, attending, diagnosis) ON ward.patients FROM cs_granter",
        "SELECT countersign.share_persona_grants()",
    ),
]


@pytest.fixture(scope="module")
def source(cluster):
    """An installed and protected database that the check finds nothing wrong with."""
    with throwaway_database(cluster, NAME) as database:
        install(database.owner_dsn, kind="run", dsns=database.dsns)
        database.execute(small_clinic(MARKER))
        sync_identities(
            database.dsns,
            [PersonAssignment("adams", "doctor"), PersonAssignment("lena", "lab")],
        )
        yield database


def codes(dsn: str) -> set[str]:
    return {problem.code for problem in check_data_source(dsn)}


def test_a_protected_source_has_no_problem(source):
    assert check_data_source(source.owner_dsn) == []
    assert check_data_source(source.dsns.broker) == []


@pytest.mark.parametrize(
    "fault", FAULTS, ids=lambda fault: f"{fault.code}: {fault.break_it[:60]}"
)
def test_a_fault_is_seen_by_its_lint_alone(source, fault):
    source.execute(fault.break_it)
    try:
        problems = check_data_source(source.owner_dsn)
    finally:
        source.execute(fault.repair)
    assert {problem.code for problem in problems} == {fault.code, *fault.more}
    assert all("{" not in problem.message + problem.remedy for problem in problems)


def test_every_lint_has_a_fault_that_proves_it():
    assert {lint.code for lint in LINTS} <= {
        code for f in FAULTS for code in (f.code, *f.more)
    }


def test_repaired_the_source_has_no_problem_again(source):
    assert check_data_source(source.owner_dsn) == []


def test_the_broker_sees_every_fault_but_statistics(source):
    """Launches are refused by what the broker's login sees."""
    hidden = {"frequencies_visible"}
    faults = {
        f.code: f
        for f in FAULTS
        if f.code not in hidden and "cs_broker" not in f.break_it
    }
    for fault in faults.values():
        source.execute(fault.break_it)
    try:
        assert faults.keys() <= codes(source.dsns.broker)
    finally:
        for fault in reversed(faults.values()):
            source.execute(fault.repair)
    assert codes(source.dsns.broker) == set()


def test_the_demo_hospital_has_no_problem(data_cluster):
    for dsn in (data_cluster.hospital_owner_dsn, data_cluster.notional_owner_dsn):
        assert check_data_source(dsn) == []


@pytest.mark.parametrize(
    ("version", "good"),
    [
        (180004, True), (180006, True), (180003, False), (170010, True), (170009, False),
        (160014, True), (160013, False), (150018, False), (190000, True),
    ],
)  # fmt: skip
def test_the_version_floor(version, good):
    assert (version_problems(version) == []) is good


def test_a_database_without_countersign_is_told_apart(throwaway):
    assert codes(throwaway.owner_dsn) == {"not_installed"}


def test_a_copy_of_a_database_is_not_taken_for_the_original(cluster, source):
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        end_sessions(connection, NAME)
        connection.execute(f"CREATE DATABASE small_copy TEMPLATE {NAME}")
    try:
        copied = source.owner_dsn.replace(NAME, "small_copy")
        assert codes(copied) == {"installed_elsewhere"}
        install(copied, kind="run", dsns=source.dsns)
        assert "live_policy_missing" in codes(
            copied
        )  # the policies name the original's marker
    finally:
        with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
            connection.execute("DROP DATABASE small_copy WITH (FORCE)")


def test_a_source_that_does_not_answer_is_unavailable():
    with pytest.raises(SourceUnavailable):
        check_data_source("postgresql://nobody@127.0.0.1:1/nothing")


# Why the lints are there: what each fault would show -----------------------------------


def test_d62_an_owner_rights_view_would_show_everybodys_rows(source):
    source.execute("CREATE VIEW ward.leak AS SELECT * FROM ward.patients")
    source.execute("GRANT SELECT ON ward.leak TO p_doctor")
    try:
        with opened(source.dsns, "adams", "doctor") as run:
            assert run.value("SELECT count(*) FROM ward.leak") == 100
            source.execute("ALTER VIEW ward.leak SET (security_invoker = true)")
            assert run.value("SELECT count(*) FROM ward.leak") == 50
    finally:
        source.execute("DROP VIEW ward.leak")


def test_d63_a_materialized_view_would_show_everybodys_rows(source):
    source.execute("CREATE MATERIALIZED VIEW ward.kept AS SELECT * FROM ward.patients")
    source.execute("GRANT SELECT ON ward.kept TO p_doctor")
    try:
        with opened(source.dsns, "adams", "doctor") as run:
            assert run.value("SELECT count(*) FROM ward.kept") == 100
    finally:
        source.execute("DROP MATERIALIZED VIEW ward.kept")


def test_d61_two_personas_on_one_login_would_multiply(source):
    """Rows of one times columns of the other; here given by hand, which no function does."""
    source.execute(
        "CREATE POLICY all_rows ON ward.patients FOR SELECT TO rls_lab USING (true)"
    )
    try:
        with opened(source.dsns, "adams", "doctor") as run:
            assert run.value("SELECT count(diagnosis) FROM ward.patients") == 50
            source.execute(f"GRANT rls_lab TO {run.lease.role} WITH INHERIT TRUE")
            assert run.value("SELECT count(diagnosis) FROM ward.patients") == 100
    finally:
        source.execute("DROP POLICY all_rows ON ward.patients")
