"""Versions never change: a trigger for everybody, grants for the runtime role."""

from django.db import migrations

SQL = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: its rows are kept as they are',
        TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION version_moves(was text) RETURNS text[] LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE was
        WHEN 'draft' THEN ARRAY['in_review']
        WHEN 'in_review' THEN ARRAY['peer_approved', 'changes_requested', 'withdrawn']
        WHEN 'peer_approved' THEN ARRAY['approved', 'changes_requested', 'withdrawn']
        WHEN 'approved' THEN ARRAY['revoked', 'expired', 'superseded']
        ELSE ARRAY[]::text[]
    END
$$;

CREATE FUNCTION keep_version() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    mutable CONSTANT text[] := ARRAY['status', 'submitted_at', 'approved_at',
        'approval_expires_at', 'ended_at', 'end_reason'];
BEGIN
    IF to_jsonb(OLD) - mutable IS DISTINCT FROM to_jsonb(NEW) - mutable THEN
        RAISE EXCEPTION 'Version % never changes', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.status <> OLD.status
       AND NOT NEW.status = ANY (version_moves(OLD.status)) THEN
        RAISE EXCEPTION 'Version % cannot go from % to %',
            OLD.id, OLD.status, NEW.status USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION start_version() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.status <> 'draft' THEN
        RAISE EXCEPTION 'A version starts as a draft, not %', NEW.status
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER start_version BEFORE INSERT ON gallery_version
    FOR EACH ROW EXECUTE FUNCTION start_version();
CREATE TRIGGER keep_version BEFORE UPDATE ON gallery_version
    FOR EACH ROW EXECUTE FUNCTION keep_version();
CREATE TRIGGER refuse_delete BEFORE DELETE ON gallery_version
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON gallery_version
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_delete BEFORE DELETE ON gallery_notebook
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

REVOKE UPDATE, DELETE, TRUNCATE ON gallery_version FROM countersign_app;
GRANT UPDATE (status, submitted_at, approved_at, approval_expires_at, ended_at,
    end_reason) ON gallery_version TO countersign_app;
REVOKE DELETE, TRUNCATE ON gallery_notebook FROM countersign_app;
"""

UNDO = """
GRANT UPDATE, DELETE ON gallery_version TO countersign_app;
GRANT DELETE ON gallery_notebook TO countersign_app;
DROP TRIGGER refuse_delete ON gallery_notebook;
DROP TRIGGER refuse_truncate ON gallery_version;
DROP TRIGGER refuse_delete ON gallery_version;
DROP TRIGGER keep_version ON gallery_version;
DROP TRIGGER start_version ON gallery_version;
DROP FUNCTION start_version();
DROP FUNCTION keep_version();
DROP FUNCTION version_moves(text);
DROP FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    """Runs as the owner of the schema; the runtime role is `countersign_app`."""

    dependencies = [("gallery", "0001_initial")]
    operations = [migrations.RunSQL(SQL, UNDO)]
