"""What compliance signed of the entry stays; approval's times move with the status."""

from django.db import migrations

SQL = """
CREATE FUNCTION keep_entry() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (NEW.id, NEW.slug, NEW.created_at, NEW.created_by_id)
       IS DISTINCT FROM (OLD.id, OLD.slug, OLD.created_at, OLD.created_by_id) THEN
        RAISE EXCEPTION 'Who made notebook %, when and where it stands never changes',
            OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.title, NEW.description) IS DISTINCT FROM (OLD.title, OLD.description)
       AND EXISTS (SELECT FROM gallery_version
                   WHERE notebook_id = OLD.id AND status = 'approved') THEN
        RAISE EXCEPTION 'Title and description of notebook % were signed', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_entry BEFORE UPDATE ON gallery_notebook
    FOR EACH ROW EXECUTE FUNCTION keep_entry();

-- Each move sets the times that are its own, once; nothing else ever sets one.
CREATE FUNCTION keep_times() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    moves CONSTANT boolean := NEW.status <> OLD.status;
BEGIN
    IF NEW.submitted_at IS DISTINCT FROM OLD.submitted_at
       AND NOT (moves AND NEW.status = 'in_review') THEN
        RAISE EXCEPTION 'Version % is submitted once', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.approved_at, NEW.approval_expires_at)
       IS DISTINCT FROM (OLD.approved_at, OLD.approval_expires_at)
       AND NOT (moves AND NEW.status = 'approved') THEN
        RAISE EXCEPTION 'The approval of version % keeps its times', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.ended_at, NEW.end_reason) IS DISTINCT FROM (OLD.ended_at, OLD.end_reason)
       AND NOT (moves AND version_moves(NEW.status) = ARRAY[]::text[]) THEN
        RAISE EXCEPTION 'Version % ends once', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_times BEFORE UPDATE ON gallery_version
    FOR EACH ROW EXECUTE FUNCTION keep_times();
"""

UNDO = """
DROP TRIGGER keep_times ON gallery_version;
DROP TRIGGER keep_entry ON gallery_notebook;
DROP FUNCTION keep_times();
DROP FUNCTION keep_entry();
"""


class Migration(migrations.Migration):
    """Runs as the owner of the schema; the runtime role is `countersign_app`."""

    dependencies = [("gallery", "0002_immutable_versions")]
    operations = [migrations.RunSQL(SQL, UNDO)]
