"""Invent the demo hospital: the same seed always makes the same hospital, to the last byte.

Pure: no database, no clock. The tests' oracle starts from the rows that this returns.
"""

import math
import random
from bisect import bisect
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate

from faker import Faker

from config.demo.hospital.catalogue import (
    COMMON_TESTS,
    DEPARTMENTS,
    INSURERS,
    SENTENCES,
    TESTS,
    DepartmentProfile,
    Drug,
)
from config.demo.hospital.rows import (
    Department,
    Encounter,
    Hospital,
    Invoice,
    LabResult,
    Note,
    Patient,
    Prescription,
)

HOSPITAL_SEED = 20_231_101
NOTIONAL_SEED = 4_711

PATIENTS = 5_000
PRESCRIPTIONS = 60_000
LAB_RESULTS = 100_000

FIRST_DAY = date(2023, 11, 1)
LAST_DAY = date(2026, 10, 31)
DAYS = (LAST_DAY - FIRST_DAY).days + 1
NOW = datetime(2026, 10, 31, 20, tzinfo=UTC)
"""The moment that the hospital's data was taken."""


class Calendar:
    """Draws moments with a season and a trend; weekdays and office hours are busier."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._weights: dict[tuple[float, float], list[float]] = {}

    def moment(self, *, winter: float = 0.0, trend: float = 0.0) -> datetime:
        """One moment of the period; see catalogue.Drug for the arguments."""
        key = (winter, trend)
        if key not in self._weights:
            self._weights[key] = list(
                accumulate(_day_weight(i, *key) for i in range(DAYS))
            )
        weights = self._weights[key]
        day = bisect(weights, self._rng.random() * weights[-1], 0, DAYS - 1)
        return self.on(FIRST_DAY + timedelta(days=day))

    def on(self, day: date) -> datetime:
        """A moment of that day, most likely late in the morning."""
        minute = int(min(1_439, max(0, self._rng.gauss(690, 170))))
        return datetime(
            day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=UTC
        )


def _day_weight(index: int, winter: float, trend: float) -> float:
    day = FIRST_DAY + timedelta(days=index)
    season = 1 + winter * math.cos(
        2 * math.pi * (day.timetuple().tm_yday - 15) / 365.25
    )
    weekday = 1.0 if day.weekday() < 5 else 0.45
    return max(0.02, season) * (1 + trend * index / DAYS) * weekday


def generate(seed: int, *, mrn_prefix: str = "MRN") -> Hospital:
    """Return all rows of one hospital."""
    rng = random.Random(seed)
    calendar = Calendar(rng)
    patients = _patients(rng, seed, mrn_prefix)
    encounters = _encounters(rng, calendar, patients)
    return Hospital(
        departments=[Department(d.code, d.name, d.head) for d in DEPARTMENTS],
        patients=patients,
        encounters=encounters,
        prescriptions=_prescriptions(rng, calendar, patients),
        lab_results=_lab_results(rng, calendar, patients),
        invoices=_invoices(rng, encounters),
        notes=_notes(rng, patients, encounters),
    )


def _patients(rng: random.Random, seed: int, mrn_prefix: str) -> list[Patient]:
    fake = Faker("en_US", use_weighting=False)
    fake.seed_instance(seed)
    zips = [f"{rng.randrange(90_001, 97_000):05d}" for _ in range(40)]
    zip_weights = [1 / (rank + 2) for rank in range(len(zips))]
    departments = rng.choices(DEPARTMENTS, [d.share for d in DEPARTMENTS], k=PATIENTS)
    return [
        _patient(rng, fake, number, department, zips, zip_weights, mrn_prefix)
        for number, department in enumerate(departments, start=1)
    ]


def _patient(
    rng: random.Random,
    fake: Faker,
    number: int,
    department: DepartmentProfile,
    zips: Sequence[str],
    zip_weights: Sequence[float],
    mrn_prefix: str,
) -> Patient:
    youngest, usual, oldest = department.ages
    age_days = int(rng.triangular(youngest, oldest + 1, usual) * 365.25)
    sex = rng.choice("FM")
    first = fake.first_name_female() if sex == "F" else fake.first_name_male()
    return Patient(
        patient_id=number,
        mrn=f"{mrn_prefix}-{rng.randrange(100, 1000)}-{number:05d}",
        name=f"{first} {fake.last_name()}",
        birth_date=LAST_DAY - timedelta(days=age_days),
        sex=sex,
        zip=rng.choices(zips, zip_weights)[0],
        department=department.code,
        attending=_pick(rng, department.doctors),
        insurer=_pick(rng, INSURERS),
    )


def _pick(rng: random.Random, weighted: dict[str, float]) -> str:
    return rng.choices(list(weighted), list(weighted.values()))[0]


def _profile(patient: Patient) -> DepartmentProfile:
    return _PROFILES[patient.department]


_PROFILES = {department.code: department for department in DEPARTMENTS}


def _encounters(
    rng: random.Random, calendar: Calendar, patients: list[Patient]
) -> list[Encounter]:
    found: list[Encounter] = []
    for patient in patients:
        profile = _profile(patient)
        for _ in range(rng.choices((1, 2, 3, 4, 6), (34, 30, 20, 11, 5))[0]):
            diagnosis = rng.choices(
                profile.diagnoses, [d.weight for d in profile.diagnoses]
            )[0]
            admitted = calendar.moment(winter=diagnosis.winter)
            stay_h = 8 + 24 * rng.lognormvariate(math.log(profile.stay_days), 0.6)
            discharged = admitted + timedelta(hours=round(stay_h))
            left = discharged if discharged <= NOW else None
            found.append(
                Encounter(
                    len(found) + 1,
                    patient.patient_id,
                    admitted,
                    left,
                    diagnosis.code,
                    diagnosis.name,
                )
            )
    return found


def _prescriptions(
    rng: random.Random, calendar: Calendar, patients: list[Patient]
) -> list[Prescription]:
    regimens = [_regimen(rng, patient) for patient in patients]
    activity = [rng.lognormvariate(0, 0.7) for _ in patients]
    found: list[Prescription] = []
    for index in rng.choices(range(len(patients)), activity, k=PRESCRIPTIONS):
        patient = patients[index]
        drug, dose = rng.choice(regimens[index])
        own = rng.random() < 0.82
        found.append(
            Prescription(
                prescription_id=len(found) + 1,
                patient_id=patient.patient_id,
                prescribed_at=calendar.moment(winter=drug.winter, trend=drug.trend),
                drug=drug.name,
                dose_mg=dose,
                days_supply=rng.choice((7, 14, 28, 30, 30, 90)),
                prescriber=patient.attending
                if own
                else rng.choice(list(_profile(patient).doctors)),
            )
        )
    return found


def _regimen(rng: random.Random, patient: Patient) -> list[tuple[Drug, Decimal]]:
    """The two or three drugs that a patient takes, at that patient's dose."""
    drugs = _profile(patient).drugs
    chosen = rng.choices(drugs, [drug.weight for drug in drugs], k=rng.choice((2, 3)))
    return [(drug, Decimal(rng.choice(drug.doses_mg))) for drug in chosen]


def _lab_results(
    rng: random.Random, calendar: Calendar, patients: list[Patient]
) -> list[LabResult]:
    activity = [rng.lognormvariate(0, 0.8) for _ in patients]
    # How ill a patient is moves all of that patient's values the same way.
    illness = [rng.gauss(0, 0.6) for _ in patients]
    found: list[LabResult] = []
    for index in rng.choices(range(len(patients)), activity, k=LAB_RESULTS):
        patient = patients[index]
        specific = rng.random() < 0.7
        names = _profile(patient).tests if specific else COMMON_TESTS
        test = TESTS[rng.choice(names)]
        raw = test.mean + test.spread * (rng.gauss(0, 1) + illness[index])
        value = Decimal(f"{max(test.mean * 0.08, raw):.{test.decimals}f}")
        found.append(
            LabResult(
                lab_result_id=len(found) + 1,
                patient_id=patient.patient_id,
                collected_at=calendar.moment(winter=0.15),
                test=test.name,
                value=value,
                unit=test.unit,
                abnormal=not test.low <= value <= test.high,
            )
        )
    return found


def _invoices(rng: random.Random, encounters: list[Encounter]) -> list[Invoice]:
    found: list[Invoice] = []
    for encounter in encounters:
        left = encounter.discharged_at
        if left is None:
            continue
        nights = (left - encounter.admitted_at).total_seconds() / 86_400
        for part in range(rng.choice((1, 1, 2))):
            issued = left + timedelta(days=rng.randrange(2, 20), hours=part)
            if issued > NOW:
                continue
            amount = Decimal(
                f"{(240 + 830 * nights) * rng.lognormvariate(0, 0.45) / (part + 1):.2f}"
            )
            age_days = (NOW - issued).days
            paid = rng.random() < min(0.97, 0.15 + age_days / 130)
            found.append(
                Invoice(len(found) + 1, encounter.patient_id, issued, amount, paid)
            )
    return found


def _notes(
    rng: random.Random, patients: list[Patient], encounters: list[Encounter]
) -> list[Note]:
    found: list[Note] = []
    for encounter in encounters:
        patient = patients[encounter.patient_id - 1]
        for kind, written_at in _note_plan(rng, encounter):
            sentence = rng.choice(SENTENCES[kind]).format(
                diagnosis=encounter.diagnosis.lower()
            )
            author = _note_author(rng, patient, kind)
            found.append(
                Note(
                    len(found) + 1,
                    patient.patient_id,
                    author,
                    written_at,
                    kind,
                    sentence,
                )
            )
    return found


def _note_plan(rng: random.Random, encounter: Encounter) -> list[tuple[str, datetime]]:
    """Kinds and moments of the notes of one stay."""
    plan = [
        ("admission", encounter.admitted_at + timedelta(minutes=rng.randrange(20, 300)))
    ]
    if rng.random() < 0.35:
        plan.append(
            ("progress", encounter.admitted_at + timedelta(hours=rng.randrange(10, 40)))
        )
    if rng.random() < 0.12:
        plan.append(
            (
                "psychiatric",
                encounter.admitted_at + timedelta(hours=rng.randrange(5, 30)),
            )
        )
    if encounter.discharged_at is not None and rng.random() < 0.4:
        plan.append(("discharge", encounter.discharged_at))
    return plan


def _note_author(rng: random.Random, patient: Patient, kind: str) -> str:
    """Mostly the attending; a psychiatric note as often by a psychiatrist."""
    if kind == "psychiatric" and rng.random() < 0.45:
        return rng.choice(list(_PROFILES["psychiatry"].doctors))
    if rng.random() < 0.8:
        return patient.attending
    return rng.choice(list(_profile(patient).doctors))
