"""A data source of one table, protected as it should be: what tests of the check damage."""

SMALL_CLINIC = """
CREATE SCHEMA ward;
CREATE SCHEMA vault;
CREATE TABLE ward.patients (patient_id integer PRIMARY KEY, attending text, diagnosis text);
INSERT INTO ward.patients
    SELECT n, CASE WHEN n % 2 = 0 THEN 'adams' ELSE 'baker' END, 'flu' FROM generate_series(1, 100) n;
CREATE TABLE vault.diary (patient_id integer, body text);
INSERT INTO vault.diary SELECT n, 'secret' FROM generate_series(1, 100) n;
ALTER TABLE ward.patients ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE vault.diary ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
DO $$ BEGIN
    IF to_regrole('diary_reader') IS NULL THEN CREATE ROLE diary_reader NOLOGIN; END IF;
END $$;
CREATE POLICY live ON ward.patients AS RESTRICTIVE FOR SELECT TO :marker
    USING ((SELECT countersign.live()));
CREATE POLICY own ON ward.patients FOR SELECT TO rls_doctor
    USING (attending = (SELECT countersign.username()));
CREATE VIEW ward.diary WITH (security_barrier) AS SELECT * FROM vault.diary;
GRANT USAGE ON SCHEMA vault TO diary_reader;
GRANT SELECT ON vault.diary TO diary_reader;
ALTER VIEW ward.diary OWNER TO diary_reader;
GRANT EXECUTE ON FUNCTION countersign.live() TO diary_reader;
CREATE POLICY live ON vault.diary AS RESTRICTIVE FOR SELECT TO diary_reader
    USING ((SELECT countersign.live()));
CREATE POLICY everything ON vault.diary FOR SELECT TO diary_reader USING (true);
INSERT INTO countersign.reviewed_views VALUES ('ward.diary', 'test', 'test');
GRANT USAGE ON SCHEMA ward TO p_doctor;
GRANT SELECT ON ward.patients, ward.diary TO p_doctor;
SELECT countersign.share_persona_grants();
SELECT countersign.hide_frequencies('ward.patients');
SELECT countersign.hide_frequencies('vault.diary');
"""


def small_clinic(marker: str) -> str:
    """The SQL, for an installation with this marker role."""
    return SMALL_CLINIC.replace(":marker", marker)
