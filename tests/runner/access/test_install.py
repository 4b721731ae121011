"""Installing: once, again, and where it must be refused."""

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from runner.access.check import check_data_source
from runner.access.errors import InstallRefused, LeaseRefused
from runner.access.identities import PersonAssignment, sync_identities
from runner.access.install import PERSONAS, install
from runner.access.leases import close_lease, open_lease
from runner.access.sources import Dsns
from tests.runner.access.conftest import ask, end_sessions, opened
from tests.runner.access.small_clinic import small_clinic


@pytest.fixture
def installed(throwaway):
    install(throwaway.owner_dsn, kind="run", dsns=throwaway.dsns)
    sync_identities(throwaway.dsns, [PersonAssignment("adams", "doctor")])
    return throwaway


def test_installing_again_changes_nothing_and_keeps_what_is_recorded(installed):
    run_id = ask(installed.dsns)
    open_lease(installed.dsns, run_id=run_id)
    again = install(installed.owner_dsn, kind="run", dsns=installed.dsns)
    close_lease(installed.dsns, run_id=run_id)
    assert again.marker == f"cs_run_{installed.name}"
    with installed.owner() as owner:
        assert owner.execute("SELECT count(*) FROM countersign.runs").fetchone() == (1,)
    assert check_data_source(installed.owner_dsn) == []


def test_the_kind_of_a_source_never_changes(installed):
    with pytest.raises(InstallRefused) as refusal:
        install(installed.owner_dsn, kind="preview", dsns=installed.dsns)
    assert refusal.value.code == "kind_is_fixed"


def test_an_unknown_kind_is_refused(throwaway):
    with pytest.raises(InstallRefused) as refusal:
        install(throwaway.owner_dsn, kind="real", dsns=throwaway.dsns)
    assert refusal.value.code == "unknown_kind"


def test_a_login_without_superuser_is_refused_before_anything_changes(installed):
    with pytest.raises(InstallRefused) as refusal:
        install(installed.dsns.broker, kind="run", dsns=installed.dsns)
    assert refusal.value.code == "not_superuser"


def test_a_dsn_of_another_login_is_refused(throwaway):
    wrong = Dsns(ticket=throwaway.owner_dsn)
    with pytest.raises(InstallRefused) as refusal:
        install(throwaway.owner_dsn, kind="run", dsns=wrong)
    assert refusal.value.code == "wrong_login"
    with throwaway.owner() as owner:
        assert owner.execute("SELECT to_regnamespace('countersign')").fetchone() == (
            None,
        )


def test_a_new_password_takes_effect_and_is_stored_as_a_verifier(installed):
    changed = Dsns(broker=make_conninfo(installed.dsns.broker, password="fresh"))
    install(installed.owner_dsn, kind="run", dsns=changed)
    try:
        psycopg.connect(changed.broker).close()
        with installed.owner() as owner:
            stored = owner.execute(
                "SELECT rolpassword FROM pg_authid WHERE rolname = 'cs_broker'"
            ).fetchone()[0]
        assert stored.startswith("SCRAM-SHA-256$")
    finally:
        install(installed.owner_dsn, kind="run", dsns=installed.dsns)


def test_installing_brings_a_role_back_that_was_made_stronger(installed):
    installed.execute("ALTER ROLE cs_web SUPERUSER", "ALTER ROLE p_doctor LOGIN")
    install(installed.owner_dsn, kind="run", dsns=installed.dsns)
    assert check_data_source(installed.owner_dsn) == []


def test_every_persona_has_its_two_roles(installed):
    with installed.owner() as owner:
        rows = owner.execute(
            "SELECT rolname FROM pg_roles WHERE rolname ~ '^(p|rls)_' AND NOT rolcanlogin"
        ).fetchall()
    assert {row[0] for row in rows} >= {
        f"{x}_{p}" for p in PERSONAS for x in ("p", "rls")
    }


def test_a_persona_can_be_added_later(installed):
    install(installed.owner_dsn, kind="run", dsns=installed.dsns, personas=("midwife",))
    sync_identities(installed.dsns, [PersonAssignment("mary", "midwife")])
    with opened(installed.dsns, "mary", "midwife") as run:
        assert run.value("SELECT 1") == 1


def test_where_nothing_is_installed_nothing_is_leased(throwaway, installed):
    with psycopg.connect(throwaway.owner_dsn, autocommit=True) as owner:
        owner.execute("DROP SCHEMA countersign CASCADE")
    with pytest.raises(LeaseRefused) as refusal:
        ask(throwaway.dsns)
    assert refusal.value.code == "not_installed"


def test_a_copy_opens_and_reaps_nothing_until_installed(installed, cluster):
    installed.execute(small_clinic(f"cs_run_{installed.name}"))
    run_id = ask(installed.dsns)
    copy = f"{installed.name}_copy"
    with psycopg.connect(cluster.dsn(), autocommit=True) as owner:
        end_sessions(owner, installed.name)
        owner.execute(f"CREATE DATABASE {copy} TEMPLATE {installed.name}")
    try:
        copied = Dsns(broker=make_conninfo(installed.dsns.broker, dbname=copy))
        with pytest.raises(LeaseRefused) as refusal:
            open_lease(copied, run_id=run_id)
        assert refusal.value.code == "not_installed_here"
    finally:
        with psycopg.connect(cluster.dsn(), autocommit=True) as owner:
            owner.execute(f"DROP DATABASE {copy} WITH (FORCE)")


def test_no_password_reaches_the_servers_log(installed, cluster):
    """With every statement logged, and parameters too."""
    installed.execute(
        "ALTER SYSTEM SET log_statement = 'all'", "SELECT pg_reload_conf()"
    )
    try:
        run_id = ask(installed.dsns)
        lease = open_lease(installed.dsns, run_id=run_id)
        close_lease(installed.dsns, run_id=run_id)
        changed = Dsns(
            broker=make_conninfo(installed.dsns.broker, password="in-no-log")
        )
        install(installed.owner_dsn, kind="run", dsns=changed)
        install(installed.owner_dsn, kind="run", dsns=installed.dsns)
    finally:
        installed.execute("ALTER SYSTEM RESET log_statement", "SELECT pg_reload_conf()")
    log = cluster.log.read_text()
    assert "countersign.open_run" in log
    assert lease.password.reveal() not in log
    assert "in-no-log" not in log
