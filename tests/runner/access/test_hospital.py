"""The demo hospital: the same for everybody, of the promised size, and like a hospital."""

import dataclasses
from collections import Counter

import psycopg
import pytest

from config.demo.hospital import build
from config.demo.hospital.catalogue import DEPARTMENTS, TESTS
from config.demo.hospital.seed import HOSPITAL_SEED, NOTIONAL_SEED, NOW, generate
from config.demo.people import PEOPLE
from runner.access.check import check_data_source
from runner.access.install import install
from tests.runner.access.oracle import COLUMNS, hospital


def test_one_seed_makes_one_hospital():
    assert generate(HOSPITAL_SEED) == hospital()


def test_another_seed_makes_other_people():
    notional = generate(NOTIONAL_SEED, mrn_prefix="TEST")
    real = {patient.mrn for patient in hospital().patients}
    assert not real & {patient.mrn for patient in notional.patients}


def test_the_promised_sizes():
    data = hospital()
    assert (len(data.patients), len(data.prescriptions), len(data.lab_results)) == (
        5_000, 60_000, 100_000,
    )  # fmt: skip


def test_helen_heads_cardiology_alone_and_has_patients_of_her_own():
    data = hospital()
    assert [d.code for d in data.departments if d.head == "helen"] == ["cardiology"]
    attending = Counter(p.attending for p in data.patients)
    assert all(attending[name] >= 50 for name in ("adams", "baker", "helen"))


def test_patients_are_treated_in_their_doctors_department():
    doctors = {name: d.code for d in DEPARTMENTS for name in d.doctors}
    assert all(doctors[p.attending] == p.department for p in hospital().patients)
    assert {p.department for p in hospital().patients} == {d.code for d in DEPARTMENTS}


def test_nothing_happens_after_the_data_was_taken():
    data = hospital()
    moments = [
        *(e.admitted_at for e in data.encounters),
        *(p.prescribed_at for p in data.prescriptions),
        *(r.collected_at for r in data.lab_results),
        *(i.issued_at for i in data.invoices),
    ]
    assert max(moments) <= NOW


def test_abnormal_means_outside_the_reference_range():
    for result in hospital().lab_results:
        test = TESTS[result.test]
        assert result.abnormal is not (test.low <= result.value <= test.high)
        assert result.unit == test.unit


def test_some_counts_are_too_small_to_show():
    """Otherwise nobody could see that they are suppressed."""
    patients = Counter(
        diagnosis
        for _, diagnosis in {(e.patient_id, e.diagnosis) for e in hospital().encounters}
    )
    assert min(patients.values()) < 11 < max(patients.values())


def test_winter_has_more_influenza_than_summer():
    months = Counter(
        e.admitted_at.month
        for e in hospital().encounters
        if e.diagnosis_code == "J10.1"
    )
    assert months[1] + months[2] > 3 * (months[7] + months[8])


def test_the_people_of_the_source_are_those_of_the_demo():
    demo = {
        (person.username, str(persona), department)
        for person in PEOPLE
        for persona, department in person.personas
    }
    assert {(p.username, p.persona, p.department) for p in build.people()} == demo


def test_the_tables_have_the_promised_columns(owner):
    for table, columns in COLUMNS.items():
        found = owner.execute(
            "SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0",
            (table,),
        ).fetchone()[0]
        assert tuple(found.split(",")) == columns


def test_building_again_does_nothing(data_cluster):
    said = []
    assert not build.build_hospital(
        data_cluster.hospital_owner_dsn, seed=HOSPITAL_SEED, kind="run", say=said.append
    )
    assert said == []


def test_another_edition_is_replaced(throwaway, monkeypatch):
    small = dataclasses.replace(hospital(), lab_results=[], prescriptions=[], notes=[])
    monkeypatch.setattr(build, "generate", lambda seed, mrn_prefix: small)
    install(throwaway.owner_dsn, kind="run", dsns=throwaway.dsns)
    said = []
    for seed in (1, 2):
        assert build.build_hospital(
            throwaway.owner_dsn, seed=seed, kind="run", say=said.append
        )
    with throwaway.owner() as connection:
        assert connection.execute(
            "SELECT count(*) FROM clinic.patients"
        ).fetchone() == (5000,)
    assert check_data_source(throwaway.owner_dsn) == []


@pytest.mark.parametrize(
    ("person", "question"),
    [
        (
            ("adams", "doctor"),
            "SELECT drug, count(*) FROM clinic.prescriptions GROUP BY 1",
        ),
        (
            ("adams", "doctor"),
            "SELECT test, avg(value) FROM clinic.lab_results GROUP BY 1",
        ),
        (
            ("helen", "department_head"),
            "SELECT kind, count(*) FROM clinic.notes GROUP BY 1",
        ),
    ],
)
def test_policies_are_asked_once_per_statement_and_use_the_index(
    open_run, person, question
):
    plan = open_run(*person).rows(
        f"EXPLAIN (ANALYZE, TIMING off, FORMAT json) {question}"
    )
    text = str(plan)
    assert "Bitmap Index Scan" in text or "Index Scan" in text
    assert plan[0][0][0]["Execution Time"] < 500
    assert "'Parent Relationship': 'InitPlan'" in text
    assert "'Parent Relationship': 'SubPlan'" not in text


@pytest.mark.parametrize(
    ("view", "rows"),
    [("clinic.notes", len(hospital().notes)), ("anon.diagnoses", 1)],
)
def test_the_superuser_reads_every_row_with_row_security_off(data_cluster, view, rows):
    with psycopg.connect(data_cluster.hospital_owner_dsn) as owner:
        owner.execute("SET row_security = off")
        (count,) = owner.execute(f"SELECT count(*) FROM {view}").fetchone()
    assert count == rows if rows > 1 else count > 0
