-- Who may see what in the demo hospital. Rows by policies TO rls_<persona>, columns by grants to
-- p_<persona>; the policies read who is asking from Countersign's functions and nowhere else.

-- Which patients a person may see ------------------------------------------------------
-- One function for all tables, so that what belongs to a patient follows the patient. It reads
-- with rights of its own (patients_reader), because a run that declared only lab results holds
-- no right on patients.
CREATE FUNCTION records.visible_patients() RETURNS integer[]
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE (SELECT countersign.persona())
        WHEN 'doctor' THEN ARRAY(SELECT p.patient_id FROM clinic.patients p
                                 WHERE p.attending = (SELECT countersign.username()))
        WHEN 'department_head' THEN ARRAY(SELECT p.patient_id FROM clinic.patients p
                                          WHERE p.department = (SELECT countersign.department()))
        ELSE '{}'::integer[]
    END
$$;
ALTER FUNCTION records.visible_patients() OWNER TO patients_reader;
REVOKE ALL ON FUNCTION records.visible_patients() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION records.visible_patients() TO rls_doctor, rls_department_head;

GRANT USAGE ON SCHEMA clinic, countersign TO patients_reader;
GRANT SELECT (patient_id, attending, department) ON clinic.patients TO patients_reader;
GRANT EXECUTE ON FUNCTION countersign.persona(), countersign.username(), countersign.department(),
    countersign.live() TO patients_reader, notes_reader, anon_owner;

-- Views that read with rights of their own ----------------------------------------------
-- Their owners bypass row security and the views say themselves which rows they show: only so
-- can a superuser of this cluster read every row through them with row_security = off. What a
-- view shows to a run hangs on session_user, which SQL cannot change.

-- One cell has a rule of its own: the body of a psychiatric note is its author's alone.
CREATE VIEW clinic.notes WITH (security_barrier) AS
    SELECT note_id, patient_id, author, written_at, kind, body FROM records.notes
    WHERE (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = session_user)
    UNION ALL
    SELECT note_id, patient_id, author, written_at, kind,
           CASE WHEN kind <> 'psychiatric' OR author = (SELECT countersign.username())
                THEN body END AS body
    FROM records.notes
    WHERE (SELECT countersign.live())
      AND patient_id = ANY ((SELECT records.visible_patients())::integer[]);
GRANT USAGE ON SCHEMA records, countersign TO notes_reader;
GRANT SELECT ON records.notes TO notes_reader;
ALTER VIEW clinic.notes OWNER TO notes_reader;
ALTER ROLE notes_reader BYPASSRLS;
ALTER ROLE anon_owner BYPASSRLS;

-- Counts of patients under 11 are not shown: few enough to be recognised.
CREATE VIEW anon.diagnoses WITH (security_barrier) AS
    SELECT p.department, e.diagnosis_code, e.diagnosis,
           count(DISTINCT e.patient_id) AS patients, count(*) AS encounters
    FROM clinic.encounters e JOIN clinic.patients p USING (patient_id)
    WHERE (SELECT countersign.live())
       OR (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = session_user)
    GROUP BY p.department, e.diagnosis_code, e.diagnosis
    HAVING count(DISTINCT e.patient_id) >= 11;
CREATE VIEW anon.prescriptions_by_month WITH (security_barrier) AS
    SELECT date_trunc('month', r.prescribed_at AT TIME ZONE 'UTC')::date AS month, r.drug,
           count(DISTINCT r.patient_id) AS patients, count(*) AS prescriptions
    FROM clinic.prescriptions r
    WHERE (SELECT countersign.live())
       OR (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = session_user)
    GROUP BY 1, r.drug
    HAVING count(DISTINCT r.patient_id) >= 11;
GRANT USAGE ON SCHEMA clinic TO anon_owner;
GRANT SELECT (patient_id, department) ON clinic.patients TO anon_owner;
GRANT SELECT (patient_id, diagnosis_code, diagnosis) ON clinic.encounters TO anon_owner;
GRANT SELECT (patient_id, prescribed_at, drug) ON clinic.prescriptions TO anon_owner;
ALTER VIEW anon.diagnoses OWNER TO anon_owner;
ALTER VIEW anon.prescriptions_by_month OWNER TO anon_owner;

INSERT INTO countersign.reviewed_views (view_name, reviewed_by, reason) VALUES
    ('clinic.notes', 'demo', 'Hides the body of psychiatric notes, and shows the rows of visible patients only.'),
    ('anon.diagnoses', 'demo', 'Counts of at least 11 patients, for everybody who may use schema anon.'),
    ('anon.prescriptions_by_month', 'demo', 'Counts of at least 11 patients per month and drug.')
ON CONFLICT (view_name) DO NOTHING;

-- Row-level security, forced (for the owner too), and the cut-off of closed runs --------
SELECT countersign.protect('clinic.departments');
SELECT countersign.protect('clinic.patients', 'patients_reader', 'anon_owner');
SELECT countersign.protect('clinic.encounters', 'anon_owner');
SELECT countersign.protect('clinic.prescriptions', 'anon_owner');
SELECT countersign.protect('clinic.lab_results');
SELECT countersign.protect('clinic.invoices');
SELECT countersign.protect('records.notes', 'notes_reader');

-- Rows -------------------------------------------------------------------------------
CREATE POLICY everyone ON clinic.departments FOR SELECT
    TO rls_doctor, rls_department_head, rls_billing, rls_lab USING (true);

CREATE POLICY own ON clinic.patients FOR SELECT TO rls_doctor
    USING (attending = (SELECT countersign.username()));
CREATE POLICY department ON clinic.patients FOR SELECT TO rls_department_head
    USING (department = (SELECT countersign.department()));
CREATE POLICY all_rows ON clinic.patients FOR SELECT TO rls_billing, rls_lab USING (true);
CREATE POLICY lookup ON clinic.patients FOR SELECT TO patients_reader USING (true);

CREATE POLICY of_patients ON clinic.encounters FOR SELECT TO rls_doctor, rls_department_head
    USING (patient_id = ANY ((SELECT records.visible_patients())::integer[]));

CREATE POLICY of_patients ON clinic.prescriptions FOR SELECT TO rls_doctor, rls_department_head
    USING (patient_id = ANY ((SELECT records.visible_patients())::integer[]));

CREATE POLICY of_patients ON clinic.lab_results FOR SELECT TO rls_doctor, rls_department_head
    USING (patient_id = ANY ((SELECT records.visible_patients())::integer[]));
CREATE POLICY all_rows ON clinic.lab_results FOR SELECT TO rls_lab USING (true);

CREATE POLICY all_rows ON clinic.invoices FOR SELECT TO rls_billing USING (true);

-- Columns ----------------------------------------------------------------------------
GRANT USAGE ON SCHEMA clinic TO p_doctor, p_department_head, p_billing, p_lab;
GRANT USAGE ON SCHEMA anon TO p_data_scientist;
GRANT SELECT ON clinic.departments TO p_doctor, p_department_head, p_billing, p_lab;
GRANT SELECT ON clinic.patients, clinic.encounters, clinic.prescriptions, clinic.lab_results,
    clinic.notes TO p_doctor, p_department_head;
GRANT SELECT (patient_id, mrn, zip, insurer) ON clinic.patients TO p_billing;
GRANT SELECT ON clinic.invoices TO p_billing;
GRANT SELECT (patient_id, mrn) ON clinic.patients TO p_lab;
GRANT SELECT ON clinic.lab_results TO p_lab;
GRANT SELECT ON anon.diagnoses, anon.prescriptions_by_month TO p_data_scientist;

SELECT countersign.share_persona_grants();
