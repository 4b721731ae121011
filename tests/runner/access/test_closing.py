"""The end of a lease: cut off at once, gone for good, whoever dies half-way."""

import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep
from uuid import uuid4

import psycopg
import pytest

from runner.access import leases
from runner.access.errors import LeaseRefused, SourceUnavailable
from runner.access.leases import close_lease, open_lease, reap
from tests.runner.access.conftest import (
    DIGEST,
    age,
    ask,
    connect,
    live_others,
    recorded,
    role_exists,
)

pytestmark = pytest.mark.security


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


def test_the_reaper_voids_the_ticket_of_a_run_that_was_lost_before_its_login(
    hospital, owner
):
    lost, queued, young = ask(hospital), ask(hospital), ask(hospital)
    owner.execute(
        "UPDATE countersign.tickets SET created_at = created_at - interval '2 minutes'"
        " WHERE run_id = ANY (%s)",
        ([lost, queued],),
    )
    reap(hospital, live_run_ids=live_others(owner) | {queued})
    with pytest.raises(LeaseRefused) as refusal:
        open_lease(hospital, run_id=lost)
    assert refusal.value.code == "ticket_used"
    for run_id in (queued, young):
        assert role_exists(owner, open_lease(hospital, run_id=run_id))
        close_lease(hospital, run_id=run_id)


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
