"""Approval that the database enforces: nobody's own work, order, quorum, for ever."""

from django.db import migrations

SQL = """
CREATE FUNCTION worked_on(person bigint, version bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM gallery_version AS signed
        JOIN gallery_version AS other USING (notebook_id)
        WHERE signed.id = version AND other.created_by_id = person
    ) OR EXISTS (
        SELECT FROM gallery_version AS signed
        JOIN gallery_notebook ON gallery_notebook.id = signed.notebook_id
        WHERE signed.id = version AND gallery_notebook.created_by_id = person
    )
$$;

CREATE FUNCTION check_review() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF worked_on(NEW.reviewed_by_id, NEW.version_id) THEN
        RAISE EXCEPTION 'Nobody reviews their own work'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF (SELECT status FROM gallery_version WHERE id = NEW.version_id)
       <> 'in_review' THEN
        RAISE EXCEPTION 'Peers review versions in review only'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION check_sign_off() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF worked_on(NEW.signed_by_id, NEW.version_id) THEN
        RAISE EXCEPTION 'Nobody signs off their own work'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF (SELECT status FROM gallery_version WHERE id = NEW.version_id)
       <> 'peer_approved' THEN
        RAISE EXCEPTION 'Compliance signs after the peers'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION check_signature() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.digest <> (SELECT digest FROM gallery_version
                      WHERE id = NEW.version_id) THEN
        RAISE EXCEPTION 'A signature names the digest of its version'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.meaning <> 'revoked' AND worked_on(NEW.person_id, NEW.version_id) THEN
        RAISE EXCEPTION 'Nobody signs their own work'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION check_approval() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    peers integer;
    needed integer;
BEGIN
    SELECT count(*) INTO peers FROM reviews_review
        JOIN reviews_signature ON reviews_signature.version_id = NEW.id
            AND reviews_signature.person_id = reviews_review.reviewed_by_id
            AND reviews_signature.meaning = 'peer_reviewed'
        WHERE reviews_review.version_id = NEW.id AND decision = 'approve';
    SELECT coalesce(max(peer_approvals), 2) INTO needed FROM reviews_notebookpolicy
        JOIN reviews_reviewpolicy ON reviews_reviewpolicy.id = policy_id
        WHERE notebook_id = NEW.notebook_id;
    IF peers < needed THEN
        RAISE EXCEPTION 'Version % has % of % signed peer approvals',
            NEW.id, peers, needed USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.status = 'approved' AND NOT EXISTS (
        SELECT FROM reviews_signoff
        JOIN reviews_signature ON reviews_signature.version_id = NEW.id
            AND reviews_signature.person_id = reviews_signoff.signed_by_id
            AND reviews_signature.meaning = 'compliance_approved'
        WHERE reviews_signoff.version_id = NEW.id AND decision = 'approve'
    ) THEN
        RAISE EXCEPTION 'Version % has no signed sign-off', NEW.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_review BEFORE INSERT ON reviews_review
    FOR EACH ROW EXECUTE FUNCTION check_review();
CREATE TRIGGER check_sign_off BEFORE INSERT ON reviews_signoff
    FOR EACH ROW EXECUTE FUNCTION check_sign_off();
CREATE TRIGGER check_signature BEFORE INSERT ON reviews_signature
    FOR EACH ROW EXECUTE FUNCTION check_signature();
-- Triggers fire by name: this one after keep_version, which checks the move.
CREATE TRIGGER need_signatures BEFORE UPDATE OF status ON gallery_version
    FOR EACH ROW WHEN (NEW.status IN ('peer_approved', 'approved'))
    EXECUTE FUNCTION check_approval();
"""

APPEND_ONLY = ["reviews_review", "reviews_signoff", "reviews_signature"]

SQL += "".join(
    f"""
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM countersign_app;
"""
    for table in APPEND_ONLY
)
SQL += """
REVOKE UPDATE, DELETE, TRUNCATE ON reviews_comment FROM countersign_app;
GRANT UPDATE (resolved_at, resolved_by_id) ON reviews_comment TO countersign_app;
CREATE TRIGGER refuse_delete BEFORE DELETE ON reviews_comment
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""

UNDO = (
    "DROP TRIGGER refuse_delete ON reviews_comment;"
    "GRANT UPDATE, DELETE ON reviews_comment TO countersign_app;"
    + "".join(
        f"DROP TRIGGER refuse_change ON {table};"
        f"DROP TRIGGER refuse_truncate ON {table};"
        f"GRANT UPDATE, DELETE ON {table} TO countersign_app;"
        for table in APPEND_ONLY
    )
    + """
DROP TRIGGER need_signatures ON gallery_version;
DROP TRIGGER check_signature ON reviews_signature;
DROP TRIGGER check_sign_off ON reviews_signoff;
DROP TRIGGER check_review ON reviews_review;
DROP FUNCTION check_approval();
DROP FUNCTION check_signature();
DROP FUNCTION check_sign_off();
DROP FUNCTION check_review();
DROP FUNCTION worked_on(bigint, bigint);
"""
)


class Migration(migrations.Migration):
    """Runs as the owner of the schema; the runtime role is `countersign_app`."""

    dependencies = [
        ("reviews", "0001_initial"),
        ("gallery", "0002_immutable_versions"),
    ]
    operations = [migrations.RunSQL(SQL, UNDO)]
