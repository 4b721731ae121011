"""Only approved bytes start; what a run is never changes; its end is final."""

from django.db import migrations

SQL = """
CREATE FUNCTION check_run() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    version gallery_version%ROWTYPE;
BEGIN
    SELECT * INTO version FROM gallery_version WHERE id = NEW.version_id;
    IF version.digest <> NEW.digest OR version.notebook_id <> NEW.notebook_id THEN
        RAISE EXCEPTION 'A run names the notebook and the digest of its version'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.kind = 'run' AND version.status <> 'approved' THEN
        RAISE EXCEPTION 'Only an approved version runs on real data'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION keep_run() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    fixed CONSTANT text[] := ARRAY['id', 'kind', 'notebook_id', 'version_id',
        'digest', 'requested_by_id', 'persona', 'purpose', 'parameters',
        'injected_source', 'queued_at'];
    name text;
BEGIN
    FOREACH name IN ARRAY fixed LOOP
        IF to_jsonb(OLD) -> name IS DISTINCT FROM to_jsonb(NEW) -> name THEN
            RAISE EXCEPTION 'The % of a run never changes', name
                USING ERRCODE = 'restrict_violation';
        END IF;
    END LOOP;
    IF OLD.finished_at IS NOT NULL AND NEW.status <> OLD.status THEN
        RAISE EXCEPTION 'A run ends once' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_run BEFORE INSERT ON runner_run
    FOR EACH ROW EXECUTE FUNCTION check_run();
CREATE TRIGGER check_start BEFORE UPDATE OF status ON runner_run
    FOR EACH ROW WHEN (OLD.status = 'queued' AND NEW.status = 'starting')
    EXECUTE FUNCTION check_run();
CREATE TRIGGER keep_run BEFORE UPDATE ON runner_run
    FOR EACH ROW EXECUTE FUNCTION keep_run();
CREATE TRIGGER refuse_delete BEFORE DELETE ON runner_run
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
REVOKE DELETE, TRUNCATE ON runner_run FROM countersign_app;
"""

UNDO = """
GRANT DELETE ON runner_run TO countersign_app;
DROP TRIGGER refuse_delete ON runner_run;
DROP TRIGGER keep_run ON runner_run;
DROP TRIGGER check_start ON runner_run;
DROP TRIGGER check_run ON runner_run;
DROP FUNCTION keep_run();
DROP FUNCTION check_run();
"""


class Migration(migrations.Migration):
    """Runs as the owner of the schema; the runtime role is `countersign_app`."""

    dependencies = [
        ("runner", "0001_initial"),
        ("gallery", "0002_immutable_versions"),
    ]
    operations = [migrations.RunSQL(SQL, UNDO)]
