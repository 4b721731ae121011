"""The rows of the demo hospital, one class per table, columns in the table's order."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple


class Department(NamedTuple):
    """A row of clinic.departments; `head` is a user name."""

    code: str
    name: str
    head: str


class Patient(NamedTuple):
    """A row of clinic.patients; `attending` is a user name."""

    patient_id: int
    mrn: str
    name: str
    birth_date: date
    sex: str
    zip: str
    department: str
    attending: str
    insurer: str


class Encounter(NamedTuple):
    """A row of clinic.encounters; not discharged yet when `discharged_at` is None."""

    encounter_id: int
    patient_id: int
    admitted_at: datetime
    discharged_at: datetime | None
    diagnosis_code: str
    diagnosis: str


class Prescription(NamedTuple):
    """A row of clinic.prescriptions; `prescriber` is a user name."""

    prescription_id: int
    patient_id: int
    prescribed_at: datetime
    drug: str
    dose_mg: Decimal
    days_supply: int
    prescriber: str


class LabResult(NamedTuple):
    """A row of clinic.lab_results; abnormal means outside the test's reference range."""

    lab_result_id: int
    patient_id: int
    collected_at: datetime
    test: str
    value: Decimal
    unit: str
    abnormal: bool


class Invoice(NamedTuple):
    """A row of clinic.invoices; amounts in US dollars."""

    invoice_id: int
    patient_id: int
    issued_at: datetime
    amount: Decimal
    paid: bool


class Note(NamedTuple):
    """A row of records.notes, the base table of the view clinic.notes."""

    note_id: int
    patient_id: int
    author: str
    written_at: datetime
    kind: str
    body: str


@dataclass(frozen=True)
class Hospital:
    """Everything that one seed makes."""

    departments: list[Department]
    patients: list[Patient]
    encounters: list[Encounter]
    prescriptions: list[Prescription]
    lab_results: list[LabResult]
    invoices: list[Invoice]
    notes: list[Note]

    def tables(self) -> dict[str, list[tuple[object, ...]]]:
        """Qualified table name to rows, in an order that satisfies the foreign keys."""
        return {
            "clinic.departments": list(self.departments),
            "clinic.patients": list(self.patients),
            "clinic.encounters": list(self.encounters),
            "clinic.prescriptions": list(self.prescriptions),
            "clinic.lab_results": list(self.lab_results),
            "clinic.invoices": list(self.invoices),
            "records.notes": list(self.notes),
        }
