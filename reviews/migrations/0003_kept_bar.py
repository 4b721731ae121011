"""The bar of a review is not moved while it is jumped, nor by whoever runs the service."""

from django.db import migrations

SQL = """
-- Who may edit is an author from that moment on, whatever they have uploaded.
CREATE OR REPLACE FUNCTION worked_on(person bigint, version bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM gallery_version AS signed
        JOIN gallery_version AS other USING (notebook_id)
        WHERE signed.id = version AND other.created_by_id = person
    ) OR EXISTS (
        SELECT FROM gallery_version AS signed
        JOIN gallery_notebook ON gallery_notebook.id = signed.notebook_id
        WHERE signed.id = version AND gallery_notebook.created_by_id = person
    ) OR EXISTS (
        SELECT FROM gallery_version AS signed
        JOIN guardian_userobjectpermission AS held
            ON held.object_pk = signed.notebook_id::text AND held.user_id = person
        JOIN auth_permission ON auth_permission.id = held.permission_id
        WHERE signed.id = version AND auth_permission.codename = 'edit_notebook'
    ) OR EXISTS (
        SELECT FROM gallery_version AS signed
        JOIN guardian_groupobjectpermission AS held
            ON held.object_pk = signed.notebook_id::text
        JOIN accounts_user_groups AS member
            ON member.group_id = held.group_id AND member.user_id = person
        JOIN auth_permission ON auth_permission.id = held.permission_id
        WHERE signed.id = version AND auth_permission.codename = 'edit_notebook'
    )
$$;

-- The quorum that was signed counts, too: the default of this installation may be more
-- than two, and only the signed text says so.
CREATE OR REPLACE FUNCTION signed_quorum(payload text) RETURNS integer
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (payload::jsonb ->> 'peer_approvals_required')::integer;
EXCEPTION WHEN data_exception THEN
    -- Not a text of this service: its signature does not verify, and nothing runs.
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION check_approval() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    peers integer;
    needed integer;
    signed integer;
BEGIN
    SELECT count(*) INTO peers FROM reviews_review
        JOIN reviews_signature ON reviews_signature.version_id = NEW.id
            AND reviews_signature.person_id = reviews_review.reviewed_by_id
            AND reviews_signature.meaning = 'peer_reviewed'
        WHERE reviews_review.version_id = NEW.id AND decision = 'approve';
    SELECT coalesce(max(peer_approvals), 2) INTO needed FROM reviews_notebookpolicy
        JOIN reviews_reviewpolicy ON reviews_reviewpolicy.id = policy_id
        WHERE notebook_id = NEW.notebook_id;
    SELECT max(signed_quorum(payload)) INTO signed FROM reviews_signature
        WHERE version_id = NEW.id;
    needed := greatest(needed, signed);
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

CREATE FUNCTION keep_policy() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    -- Of a new row there is no OLD, of a deleted one no NEW: both are null then.
    concerned CONSTANT bigint[] := ARRAY[NEW.notebook_id, OLD.notebook_id];
BEGIN
    -- A submission takes the same lock: it comes before or after this.
    PERFORM FROM gallery_notebook WHERE id = ANY (concerned) FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM gallery_version WHERE notebook_id = ANY (concerned)
               AND status IN ('in_review', 'peer_approved')) THEN
        RAISE EXCEPTION 'The policy stays while a version is under review'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_policy BEFORE INSERT OR UPDATE OR DELETE ON reviews_notebookpolicy
    FOR EACH ROW EXECUTE FUNCTION keep_policy();
REVOKE DELETE, TRUNCATE ON reviews_notebookpolicy FROM countersign_app;

-- Which bars there are is decided by whoever installs, not by whoever runs.
INSERT INTO reviews_reviewpolicy (name, description, peer_approvals) VALUES
    ('One peer', 'For small changes to notebooks on anonymised data.', 1),
    ('Three peers', 'For notebooks that many people will act on.', 3)
    ON CONFLICT (name) DO NOTHING;
CREATE FUNCTION keep_peers() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.peer_approvals <> OLD.peer_approvals THEN
        RAISE EXCEPTION 'What a policy asks for never changes: add another one'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_peers BEFORE UPDATE ON reviews_reviewpolicy
    FOR EACH ROW EXECUTE FUNCTION keep_peers();
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON reviews_reviewpolicy FROM countersign_app;
"""

UNDO = """
GRANT INSERT, UPDATE, DELETE ON reviews_reviewpolicy TO countersign_app;
DROP TRIGGER keep_peers ON reviews_reviewpolicy;
DROP FUNCTION keep_peers();
GRANT DELETE ON reviews_notebookpolicy TO countersign_app;
DROP TRIGGER keep_policy ON reviews_notebookpolicy;
DROP FUNCTION keep_policy();
"""


class Migration(migrations.Migration):
    """Runs as the owner of the schema; the runtime role is `countersign_app`."""

    dependencies = [
        ("reviews", "0002_enforced_approval"),
        ("gallery", "0003_kept_entry"),
        ("guardian", "0001_initial"),
    ]
    operations = [migrations.RunSQL(SQL, UNDO)]
