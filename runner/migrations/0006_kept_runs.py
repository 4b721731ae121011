"""A finished run stays as it ended, and a result is emptied, never deleted."""

from django.db import migrations

SQL = """
CREATE FUNCTION keep_finished_run() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.finished_at IS NOT NULL AND NEW IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'Run % has ended: its record stays', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
-- Triggers fire by name: after keep_run, whose words are more exact.
CREATE TRIGGER keep_run_finished BEFORE UPDATE ON runner_run
    FOR EACH ROW EXECUTE FUNCTION keep_finished_run();

-- The sealed bytes are wrapped in another key, or emptied when their time is over.
CREATE FUNCTION keep_result() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (NEW.id, NEW.run_id, NEW.notebook_sha256, NEW.html_sha256, NEW.stored_at,
        NEW.expires_at)
       IS DISTINCT FROM (OLD.id, OLD.run_id, OLD.notebook_sha256, OLD.html_sha256,
        OLD.stored_at, OLD.expires_at) THEN
        RAISE EXCEPTION 'What result % is never changes', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.expired_at IS NOT NULL AND NEW IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'A result expires once' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.expired_at < OLD.expires_at THEN
        RAISE EXCEPTION 'Result % has not expired yet', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_result BEFORE UPDATE ON runner_runresult
    FOR EACH ROW EXECUTE FUNCTION keep_result();
CREATE TRIGGER refuse_delete BEFORE DELETE ON runner_runresult
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
REVOKE DELETE, TRUNCATE ON runner_runresult FROM countersign_app;
"""

UNDO = """
GRANT DELETE ON runner_runresult TO countersign_app;
DROP TRIGGER refuse_delete ON runner_runresult;
DROP TRIGGER keep_result ON runner_runresult;
DROP TRIGGER keep_run_finished ON runner_run;
DROP FUNCTION keep_result();
DROP FUNCTION keep_finished_run();
"""


class Migration(migrations.Migration):
    """Runs as the owner of the schema; the runtime role is `countersign_app`."""

    dependencies = [
        ("runner", "0005_live_outputs"),
        ("gallery", "0002_immutable_versions"),
    ]
    operations = [migrations.RunSQL(SQL, UNDO)]
