"""Opening a lease: from one ticket, once, for one persona, as narrow as declared."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from time import sleep
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors

from runner.access.errors import LeaseRefused, SourceUnavailable
from runner.access.leases import close_lease, open_lease, put_ticket
from runner.access.scram import verifier
from runner.access.sources import Dsns
from tests.runner.access.conftest import (
    ask,
    connect,
    role_exists,
)

pytestmark = pytest.mark.security


def test_a_ticket_opens_one_login_that_says_where_to_connect(hospital, open_run):
    run = open_run("adams")
    assert run.lease.role == f"r_{run.run_id.hex}"
    assert (run.lease.database, run.lease.source) == ("hospital", "hospital")
    assert run.value("SELECT count(*) FROM clinic.patients") > 0


def test_the_password_is_not_shown_by_accident(open_run):
    lease = open_run("adams").lease
    assert lease.password.reveal() not in repr(lease) + str(lease) + f"{lease.password}"


def test_a_ticket_is_redeemed_once(hospital, open_run):
    run = open_run("adams")
    with pytest.raises(LeaseRefused) as refusal:
        open_lease(hospital, run_id=run.run_id)
    assert refusal.value.code == "ticket_used"


def test_a_run_gets_one_ticket(hospital):
    run_id = ask(hospital)
    with pytest.raises(LeaseRefused) as refusal:
        ask(hospital, "bill", "billing", run_id=run_id)
    assert refusal.value.code == "ticket_exists"


def test_no_ticket_no_login(hospital):
    with pytest.raises(LeaseRefused) as refusal:
        open_lease(hospital, run_id=uuid4())
    assert refusal.value.code == "no_ticket"


def test_an_expired_ticket_opens_nothing(hospital):
    run_id = ask(hospital, lifetime_s=-1)
    with pytest.raises(LeaseRefused) as refusal:
        open_lease(hospital, run_id=run_id)
    assert refusal.value.code == "ticket_expired"


def test_a_ticket_lasts_a_day_at_most(hospital):
    with pytest.raises(LeaseRefused) as refusal:
        ask(hospital, lifetime_s=25 * 3600)
    assert refusal.value.code == "lasts_too_long"


@pytest.mark.parametrize(
    ("username", "persona"),
    [
        ("nora", "doctor"),
        ("adams", "billing"),
        ("adams", "department_head"),
        ("", "doctor"),
    ],
)
def test_only_a_persona_that_the_source_knows_the_person_in(
    hospital, username, persona
):
    run_id = ask(hospital, username, persona)
    with pytest.raises(LeaseRefused) as refusal:
        open_lease(hospital, run_id=run_id)
    assert refusal.value.code == "persona_not_held"


@pytest.mark.parametrize(
    "persona", ["department_head,doctor", "doctor department_head", "p_doctor; --", ""]
)
def test_d61_two_personas_are_no_persona(hospital, persona):
    with pytest.raises(LeaseRefused) as refusal:
        ask(hospital, "helen", persona)
    assert refusal.value.code == "malformed_ticket"


@pytest.mark.parametrize("digest", ["", "d1", "D1" * 32, "d1" * 33])
def test_a_ticket_names_the_digest_of_a_version(hospital, digest):
    with pytest.raises(LeaseRefused) as refusal:
        put_ticket(
            hospital,
            run_id=uuid4(),
            username="adams",
            persona="doctor",
            version_digest=digest,
            purpose="treatment",
            kind="run",
            manifest=None,
            expires_at=datetime.now(UTC) + timedelta(minutes=1),
        )
    assert refusal.value.code == "malformed_ticket"


def test_the_real_source_refuses_a_preview(hospital):
    with pytest.raises(LeaseRefused) as refusal:
        ask(hospital, kind="preview")
    assert refusal.value.code == "wrong_kind"


def test_the_notional_source_refuses_a_run(notional):
    with pytest.raises(LeaseRefused) as refusal:
        ask(notional, kind="run")
    assert refusal.value.code == "wrong_kind"


def test_a_preview_reads_invented_people_and_cannot_reach_the_hospital(
    notional, hospital
):
    run_id = ask(notional, kind="preview")
    lease = open_lease(notional, run_id=run_id)
    try:
        with connect(lease) as connection:
            mrn = connection.execute("SELECT min(mrn) FROM clinic.patients").fetchone()[
                0
            ]
        assert mrn.startswith("TEST-")
        with pytest.raises(psycopg.OperationalError):
            connect(lease, dbname="hospital")
    finally:
        close_lease(notional, run_id=run_id)


def test_a_process_without_the_login_is_told_so():
    with pytest.raises(LeaseRefused) as refusal:
        open_lease(Dsns(), run_id=uuid4())
    assert refusal.value.code == "no_login"


def test_a_source_that_does_not_answer_is_unavailable():
    nowhere = Dsns(broker="postgresql://cs_broker:x@127.0.0.1:1/hospital")
    with pytest.raises(SourceUnavailable):
        open_lease(nowhere, run_id=uuid4())


def test_of_many_opens_of_one_ticket_one_wins(hospital):
    run_id = ask(hospital)
    together = threading.Barrier(6)

    def attempt(_):
        together.wait(10)
        try:
            return open_lease(hospital, run_id=run_id)
        except LeaseRefused as refusal:
            return refusal.code

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(attempt, range(6)))
    close_lease(hospital, run_id=run_id)
    assert outcomes.count("ticket_used") == 5


def test_a_grant_and_a_revoke_on_one_table_take_turns(hospital):
    """Both change the table's catalog row; the later one would fail on it, did it not wait."""
    manifest = {"tables": {"clinic.patients": ["patient_id", "name"]}}
    first, second = (ask(hospital, manifest=manifest) for _ in range(2))
    open_lease(hospital, run_id=first)
    with psycopg.connect(hospital.broker) as slow, ThreadPoolExecutor(1) as pool:
        slow.execute("SELECT countersign.open_run(%s, %s)", (second, verifier("x")))
        waiting = pool.submit(close_lease, hospital, run_id=first)
        sleep(0.3)
        assert not waiting.done()
        slow.commit()
        waiting.result(10)
    close_lease(hospital, run_id=second)


def test_many_runs_open_and_close_at_once(hospital, owner):
    manifest = {"tables": {"clinic.patients": ["patient_id", "name"]}}
    runs = [ask(hospital, manifest=manifest) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda run: open_lease(hospital, run_id=run), runs))
        list(pool.map(lambda run: close_lease(hospital, run_id=run), runs))
    assert not any(role_exists(owner, lease) for lease in opened)


def test_a_manifest_narrows_to_the_declared_columns(open_run):
    run = open_run(
        "adams", manifest={"tables": {"clinic.patients": ["patient_id", "sex"]}}
    )
    assert run.rows("SELECT sex, count(patient_id) FROM clinic.patients GROUP BY 1")
    for refused in (
        "SELECT name FROM clinic.patients",
        "SELECT 1 FROM clinic.lab_results",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            run.rows(refused)


def test_a_manifest_gives_nothing_that_the_persona_lacks(open_run):
    declared = {
        "clinic.patients": ["patient_id", "mrn", "name"],
        "clinic.notes": ["body"],
    }
    run = open_run("bill", "billing", manifest={"tables": declared})
    assert run.value("SELECT count(mrn) FROM clinic.patients") == 5000
    for refused in (
        "SELECT name FROM clinic.patients",
        "SELECT body FROM clinic.notes",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            run.rows(refused)


def test_a_manifest_keeps_the_rows_of_the_persona(open_run):
    """Also where the policy looks at columns and tables that were not declared."""
    whole = open_run("adams")
    narrow = open_run(
        "adams",
        manifest={"tables": {"clinic.lab_results": ["value"], "clinic.notes": ["*"]}},
    )
    for table, column in (("clinic.lab_results", "value"), ("clinic.notes", "body")):
        question = f"SELECT count(*), count({column}) FROM {table}"
        assert narrow.rows(question) == whole.rows(question)


@pytest.mark.parametrize(
    "table",
    [
        "patients",
        "clinic",
        "clinic.nothing",
        "records.notes",
        "countersign.runs",
        "pg_catalog.pg_authid",
        'clinic.patients; DROP TABLE "x"',
        "",
    ],
)
def test_a_manifest_of_other_things_grants_nothing(open_run, table):
    run = open_run("adams", manifest={"tables": {table: ["*"]}})
    with pytest.raises(errors.InsufficientPrivilege):
        run.rows("SELECT patient_id FROM clinic.patients")


@pytest.mark.parametrize(
    "manifest", [[], {}, {"tables": []}, {"tables": "clinic.patients"}]
)
def test_a_malformed_manifest_is_refused(hospital, manifest):
    with pytest.raises(LeaseRefused) as refusal:
        ask(hospital, manifest=manifest)
    assert refusal.value.code == "malformed_ticket"


def test_a_manifest_leaves_no_grant_behind(hospital, owner):
    run_id = ask(
        hospital, manifest={"tables": {"clinic.patients": ["*"], "clinic.notes": ["*"]}}
    )
    lease = open_lease(hospital, run_id=run_id)
    close_lease(hospital, run_id=run_id)
    assert not role_exists(owner, lease)
    acl = owner.execute(
        "SELECT count(*) FROM pg_attribute WHERE attacl::text LIKE %s",
        (f"%{lease.role}%",),
    ).fetchone()
    assert acl == (0,)
