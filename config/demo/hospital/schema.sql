-- The demo hospital, as its owners keep it. Nobody logs in as an owner.
CREATE SCHEMA clinic AUTHORIZATION clinic_owner;
CREATE SCHEMA records AUTHORIZATION clinic_owner;   -- no persona may use it
CREATE SCHEMA anon AUTHORIZATION anon_owner;

SET ROLE clinic_owner;

CREATE TABLE clinic.departments (
    code text PRIMARY KEY,
    name text NOT NULL,
    head text NOT NULL
);

CREATE TABLE clinic.patients (
    patient_id integer PRIMARY KEY,
    mrn text NOT NULL UNIQUE,
    name text NOT NULL,
    birth_date date NOT NULL,
    sex text NOT NULL CHECK (sex IN ('F', 'M')),
    zip text NOT NULL,
    department text NOT NULL REFERENCES clinic.departments,
    attending text NOT NULL,
    insurer text NOT NULL
);

CREATE TABLE clinic.encounters (
    encounter_id integer PRIMARY KEY,
    patient_id integer NOT NULL REFERENCES clinic.patients,
    admitted_at timestamptz NOT NULL,
    discharged_at timestamptz,
    diagnosis_code text NOT NULL,
    diagnosis text NOT NULL
);

CREATE TABLE clinic.prescriptions (
    prescription_id integer PRIMARY KEY,
    patient_id integer NOT NULL REFERENCES clinic.patients,
    prescribed_at timestamptz NOT NULL,
    drug text NOT NULL,
    dose_mg numeric NOT NULL,
    days_supply integer NOT NULL,
    prescriber text NOT NULL
);

CREATE TABLE clinic.lab_results (
    lab_result_id integer PRIMARY KEY,
    patient_id integer NOT NULL REFERENCES clinic.patients,
    collected_at timestamptz NOT NULL,
    test text NOT NULL,
    value numeric NOT NULL,
    unit text NOT NULL,
    abnormal boolean NOT NULL
);

CREATE TABLE clinic.invoices (
    invoice_id integer PRIMARY KEY,
    patient_id integer NOT NULL REFERENCES clinic.patients,
    issued_at timestamptz NOT NULL,
    amount numeric(10, 2) NOT NULL,
    paid boolean NOT NULL
);

CREATE TABLE records.notes (
    note_id integer PRIMARY KEY,
    patient_id integer NOT NULL REFERENCES clinic.patients,
    author text NOT NULL,
    written_at timestamptz NOT NULL,
    kind text NOT NULL CHECK (kind IN ('admission', 'progress', 'discharge', 'psychiatric')),
    body text NOT NULL
);

RESET ROLE;
