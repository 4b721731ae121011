"""A lease from its ticket to its end: opened once, cut off at once, gone for good."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors

from runner.access import leases
from runner.access.errors import LeaseRefused, SourceUnavailable
from runner.access.leases import close_lease, open_lease, put_ticket, reap
from runner.access.scram import verifier
from runner.access.sources import Dsns
from tests.runner.access.conftest import DIGEST, ask, connect

pytestmark = pytest.mark.security


def role_exists(owner, lease) -> bool:
    return bool(
        owner.execute(
            "SELECT count(*) FROM pg_roles WHERE rolname = %s", (lease.role,)
        ).fetchone()[0]
    )


def recorded(owner, run_id):
    return owner.execute(
        "SELECT username, persona, department, version_digest, purpose, kind, closed_because,"
        " closed_at IS NOT NULL, dropped_at IS NOT NULL FROM countersign.runs WHERE run_id = %s",
        (run_id,),
    ).fetchone()


def live_others(owner) -> set:
    """Every run that there ever was: tests beside this one have some open."""
    return {row[0] for row in owner.execute("SELECT run_id FROM countersign.runs")}


def age(owner, run) -> None:
    """Make the run older than the reaper's grace."""
    owner.execute(
        "UPDATE countersign.runs SET opened_at = opened_at - interval '1 minute'"
        " WHERE run_id = %s",
        (run.run_id,),
    )


# Opening ------------------------------------------------------------------------------


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


def test_opens_that_grant_on_one_table_take_turns(hospital):
    """Both change the table's catalog row; the later one would fail on it, did it not wait."""
    manifest = {"tables": {"clinic.patients": ["patient_id", "name"]}}
    first, second = (ask(hospital, manifest=manifest) for _ in range(2))
    with psycopg.connect(hospital.broker) as slow, ThreadPoolExecutor(1) as pool:
        slow.execute("SELECT countersign.open_run(%s, %s)", (first, verifier("x")))
        waiting = pool.submit(open_lease, hospital, run_id=second)
        sleep(0.3)
        assert not waiting.done()
        slow.commit()
        assert waiting.result(10).run_id == second
    for run_id in (first, second):
        close_lease(hospital, run_id=run_id)


def test_many_runs_open_and_close_at_once(hospital, owner):
    manifest = {"tables": {"clinic.patients": ["patient_id", "name"]}}
    runs = [ask(hospital, manifest=manifest) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda run: open_lease(hospital, run_id=run), runs))
        list(pool.map(lambda run: close_lease(hospital, run_id=run), runs))
    assert not any(role_exists(owner, lease) for lease in opened)


# Manifest -----------------------------------------------------------------------------


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


# Closing ------------------------------------------------------------------------------


def test_closing_ends_sessions_and_leaves_a_row_and_no_login(hospital, open_run, owner):
    run = open_run("adams")
    close_lease(hospital, run_id=run.run_id)
    with pytest.raises(psycopg.OperationalError):
        run.rows("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        connect(run.lease)
    assert not role_exists(owner, run.lease)
    assert recorded(owner, run.run_id) == (
        "adams", "doctor", "cardiology", DIGEST, "treatment", "run", "closed", True, True
    )  # fmt: skip


def test_closing_twice_or_a_run_that_never_was_is_no_error(hospital, open_run):
    run = open_run("adams")
    for run_id in (run.run_id, run.run_id, uuid4()):
        close_lease(hospital, run_id=run_id)


def test_closing_voids_a_ticket_that_was_not_redeemed(hospital):
    run_id = ask(hospital)
    close_lease(hospital, run_id=run_id)
    with pytest.raises(LeaseRefused) as refusal:
        open_lease(hospital, run_id=run_id)
    assert refusal.value.code == "ticket_used"


def test_closing_cuts_a_running_statement_off(hospital, open_run):
    run = open_run("lena", "lab")
    ended = []

    def read_slowly():
        try:
            run.rows("SELECT count(*) FROM clinic.lab_results a, clinic.lab_results b")
        except psycopg.OperationalError as error:
            ended.append(error)

    reader = threading.Thread(target=read_slowly)
    reader.start()
    sleep(0.3)
    started = monotonic()
    close_lease(hospital, run_id=run.run_id)
    reader.join(10)
    assert ended
    assert monotonic() - started < 5


def test_two_closes_at_once_both_return(hospital, open_run):
    run = open_run("adams")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: close_lease(hospital, run_id=run.run_id), range(2)))


def step(dsns, run_id) -> str:
    """One step of closing, after which the caller dies."""
    with psycopg.connect(dsns.broker, autocommit=True) as connection:
        return connection.execute(
            "SELECT countersign.close_run(%s)", (run_id,)
        ).fetchone()[0]


def test_d67_d68_after_the_first_step_a_session_reads_nothing_and_none_can_start(
    hospital, open_run
):
    run = open_run("adams")
    assert step(hospital, run.run_id) == "closing"
    for table in (
        "patients",
        "encounters",
        "prescriptions",
        "lab_results",
        "notes",
        "departments",
    ):
        assert run.value(f"SELECT count(*) FROM clinic.{table}") == 0
    with pytest.raises(psycopg.OperationalError):
        connect(run.lease)


def test_a_closed_data_scientist_reads_no_counts(hospital, open_run):
    run = open_run("ada", "data_scientist")
    step(hospital, run.run_id)
    for view in ("diagnoses", "prescriptions_by_month"):
        assert run.value(f"SELECT count(*) FROM anon.{view}") == 0


@pytest.mark.parametrize("steps", [1, 2])
def test_a_close_that_died_half_way_is_finished_by_the_reaper(
    hospital, open_run, owner, steps
):
    run = open_run("adams")
    for _ in range(steps):
        step(hospital, run.run_id)
    assert run.lease.role in reap(hospital, live_run_ids=live_others(owner))
    assert not role_exists(owner, run.lease)


def test_d69_a_session_of_a_dropped_role_is_ended_by_the_reaper(
    hospital, open_run, owner
):
    """It can only come about by a login that slipped in while its role was dropped."""
    run = open_run("adams")
    owner.execute(f"DROP ROLE {run.lease.role}")
    with pytest.raises(psycopg.Error):
        run.rows("SELECT * FROM clinic.patients")
    owner.execute(
        "UPDATE countersign.runs SET closed_at = now(), closed_because = 'closed',"
        " dropped_at = now() WHERE run_id = %s",
        (run.run_id,),
    )
    reap(hospital, live_run_ids=live_others(owner))
    with pytest.raises(psycopg.OperationalError):
        run.rows("SELECT 1")


def test_d66_after_expiry_a_session_reads_nothing_and_none_can_start(
    hospital, open_run
):
    run = open_run("adams", lifetime_s=1.2)
    assert run.value("SELECT count(*) FROM clinic.patients") > 0
    sleep(1.3)
    assert run.value("SELECT count(*) FROM clinic.patients") == 0
    with pytest.raises(psycopg.OperationalError):
        connect(run.lease)


# Reaping ------------------------------------------------------------------------------


def test_the_reaper_closes_what_expired_even_when_called_live(
    hospital, open_run, owner
):
    run = open_run("adams", lifetime_s=0.5)
    sleep(0.6)
    live = live_others(owner) | {run.run_id}
    assert run.lease.role in reap(hospital, live_run_ids=live)
    assert recorded(owner, run.run_id)[6:] == ("expired", True, True)


def test_the_reaper_closes_what_is_not_live(hospital, open_run, owner):
    lost, alive = open_run("adams"), open_run("baker")
    age(owner, lost)
    live = live_others(owner) - {lost.run_id}
    assert lost.lease.role in reap(hospital, live_run_ids=live)
    assert recorded(owner, lost.run_id)[6:] == ("abandoned", True, True)
    assert alive.value("SELECT count(*) FROM clinic.patients") > 0


def test_the_reaper_spares_a_login_younger_than_the_callers_list(
    hospital, open_run, owner
):
    run = open_run("adams")
    live = live_others(owner) - {run.run_id}
    assert run.lease.role not in reap(hospital, live_run_ids=live)


def test_the_reaper_finds_a_login_that_no_row_knows(hospital, open_run, owner):
    run = open_run("adams")
    owner.execute("DELETE FROM countersign.runs WHERE run_id = %s", (run.run_id,))
    assert run.value("SELECT count(*) FROM clinic.patients") == 0
    assert run.lease.role in reap(hospital, live_run_ids=live_others(owner))
    assert not role_exists(owner, run.lease)
    assert recorded(owner, run.run_id)[6] == "orphan"


def test_the_reaper_of_one_database_leaves_the_others_runs_alone(
    hospital, notional, owner
):
    run_id = ask(notional, kind="preview")
    lease = open_lease(notional, run_id=run_id)
    try:
        reap(hospital, live_run_ids=live_others(owner))
        assert role_exists(owner, lease)
    finally:
        close_lease(notional, run_id=run_id)


def test_a_login_that_does_not_end_is_reported(hospital, open_run, monkeypatch):
    monkeypatch.setattr(leases, "CLOSE_TIMEOUT_S", -1.0)
    run = open_run("adams")
    with pytest.raises(SourceUnavailable) as failure:
        close_lease(hospital, run_id=run.run_id)
    assert failure.value.code == "still_connected"
    monkeypatch.undo()
    close_lease(hospital, run_id=run.run_id)
