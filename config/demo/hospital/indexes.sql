-- Built after the rows are loaded; the policies find a person's rows through these.
CREATE INDEX ON clinic.patients (attending);
CREATE INDEX ON clinic.patients (department);
CREATE INDEX ON clinic.encounters (patient_id);
CREATE INDEX ON clinic.prescriptions (patient_id);
CREATE INDEX ON clinic.prescriptions (drug, prescribed_at);
CREATE INDEX ON clinic.lab_results (patient_id);
CREATE INDEX ON clinic.lab_results (test, collected_at);
CREATE INDEX ON clinic.invoices (patient_id);
CREATE INDEX ON records.notes (patient_id);
