"""What each person may see in the demo hospital, computed from the seed's rows in Python.

Written from the sentences of the rules and not from the SQL: a doctor sees own patients and all
that belongs to them, no invoices; a department head the same for the department; billing the
patients' number, record number, zip and insurer, and invoices; the laboratory its results and the
patients' number and record number; a data scientist the anonymised counts alone. Departments are
seen by all who work in the clinic. The body of a psychiatric note is its author's alone.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from config.demo.hospital.rows import Hospital, Note, Patient
from config.demo.hospital.seed import HOSPITAL_SEED, generate

SMALLEST_COUNT = 11
CLINIC = ("doctor", "department_head", "billing", "lab")
TREATING = ("doctor", "department_head")

COLUMNS = {
    "clinic.departments": ("code", "name", "head"),
    "clinic.patients": (
        "patient_id", "mrn", "name", "birth_date", "sex", "zip", "department", "attending",
        "insurer",
    ),
    "clinic.encounters": (
        "encounter_id", "patient_id", "admitted_at", "discharged_at", "diagnosis_code", "diagnosis",
    ),
    "clinic.prescriptions": (
        "prescription_id", "patient_id", "prescribed_at", "drug", "dose_mg", "days_supply",
        "prescriber",
    ),
    "clinic.lab_results": (
        "lab_result_id", "patient_id", "collected_at", "test", "value", "unit", "abnormal",
    ),
    "clinic.invoices": ("invoice_id", "patient_id", "issued_at", "amount", "paid"),
    "clinic.notes": ("note_id", "patient_id", "author", "written_at", "kind", "body"),
    "anon.diagnoses": ("department", "diagnosis_code", "diagnosis", "patients", "encounters"),
    "anon.prescriptions_by_month": ("month", "drug", "patients", "prescriptions"),
    "records.notes": ("note_id", "patient_id", "author", "written_at", "kind", "body"),
}  # fmt: skip


@dataclass(frozen=True)
class Viewer:
    """Somebody in one persona."""

    username: str
    persona: str
    department: str = ""


VIEWERS = (
    Viewer("adams", "doctor", "cardiology"),
    Viewer("baker", "doctor", "oncology"),
    Viewer("helen", "doctor", "cardiology"),
    Viewer("helen", "department_head", "cardiology"),
    Viewer("bill", "billing"),
    Viewer("lena", "lab"),
    Viewer("ada", "data_scientist"),
)


@cache
def hospital() -> Hospital:
    """The rows of the demo hospital."""
    return generate(HOSPITAL_SEED)


def may_read(viewer: Viewer, table: str, column: str) -> bool:
    """Whether the viewer may name this column at all."""
    schema, _, name = table.partition(".")
    if schema == "records":
        return False
    if schema == "anon":
        return viewer.persona == "data_scientist"
    if name == "departments":
        return viewer.persona in CLINIC
    if name == "invoices":
        return viewer.persona == "billing"
    if viewer.persona == "billing":
        return name == "patients" and column in ("patient_id", "mrn", "zip", "insurer")
    if viewer.persona == "lab":
        return name == "lab_results" or (
            name == "patients" and column in ("patient_id", "mrn")
        )
    return viewer.persona in TREATING


def treats(viewer: Viewer, patient: Patient) -> bool:
    """Whether the patient is the viewer's own, or of the viewer's department."""
    if viewer.persona == "doctor":
        return patient.attending == viewer.username
    return (
        viewer.persona == "department_head" and patient.department == viewer.department
    )


@cache
def rows(viewer: Viewer, table: str) -> list[tuple]:
    """All rows of the table that the viewer sees, all columns, in the table's column order."""
    if table.startswith("anon."):
        return anonymous(table)
    data = hospital()
    name = table.partition(".")[2]
    if name == "notes":
        found: Iterable[tuple] = (as_seen(viewer, note) for note in data.notes)
    else:
        found = getattr(data, name)
    everything = name in ("departments", "invoices") or (
        viewer.persona in ("billing", "lab") and name in ("patients", "lab_results")
    )
    if everything:
        return [tuple(row) for row in found]
    own = {patient.patient_id for patient in data.patients if treats(viewer, patient)}
    position = COLUMNS[table].index("patient_id")
    return [tuple(row) for row in found if row[position] in own]


def as_seen(viewer: Viewer, note: Note) -> tuple:
    """The note with its body withheld where it is psychiatric and somebody else's."""
    hidden = note.kind == "psychiatric" and note.author != viewer.username
    return (*note[:-1], None if hidden else note.body)


def anonymous(table: str) -> list[tuple]:
    """The counts of the schema anon, without those of fewer than eleven patients."""
    data = hospital()
    groups: dict[tuple, list[int]] = defaultdict(list)
    if table == "anon.diagnoses":
        department = {
            patient.patient_id: patient.department for patient in data.patients
        }
        for encounter in data.encounters:
            key = (
                department[encounter.patient_id],
                encounter.diagnosis_code,
                encounter.diagnosis,
            )
            groups[key].append(encounter.patient_id)
    else:
        for prescription in data.prescriptions:
            month = prescription.prescribed_at.date().replace(day=1)
            groups[(month, prescription.drug)].append(prescription.patient_id)
    return [
        (*key, len(set(patients)), len(patients))
        for key, patients in groups.items()
        if len(set(patients)) >= SMALLEST_COUNT
    ]
