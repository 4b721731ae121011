-- The event log.  Run as countersign_owner; what it makes belongs to countersign_audit.
-- The application may read, and append through audit.append(); nobody may change a row.

CREATE SCHEMA audit AUTHORIZATION countersign_audit;

SET LOCAL ROLE countersign_audit;

CREATE TABLE audit.event (
    seq           bigint PRIMARY KEY,
    at            timestamptz NOT NULL,
    actor         text NOT NULL,
    actor_name    text NOT NULL,
    action        text NOT NULL CHECK (action ~ '^[a-z_]+(\.[a-z_]+)+$' AND length(action) <= 100),
    target_type   text NOT NULL,
    target_id     text NOT NULL,
    target_label  text NOT NULL,
    data          jsonb NOT NULL CHECK (jsonb_typeof(data) = 'object'),
    payload       text NOT NULL CHECK (octet_length(payload) <= 8192),
    previous_hash text NOT NULL,
    hash          text NOT NULL UNIQUE
);
CREATE INDEX event_at ON audit.event (at);
CREATE INDEX event_actor ON audit.event (actor, seq);
CREATE INDEX event_action ON audit.event (action text_pattern_ops, seq);
CREATE INDEX event_target ON audit.event (target_type, target_id, seq);
CREATE INDEX event_notebook ON audit.event ((data ->> 'notebook'), seq);

-- Before the first event the head is number 0 and a hash of zeros.
CREATE TABLE audit.head (
    only_row boolean PRIMARY KEY CHECK (only_row),
    seq      bigint NOT NULL,
    hash     text NOT NULL
);
INSERT INTO audit.head VALUES (true, 0, repeat('0', 64));

CREATE TABLE audit.checkpoint (
    seq  bigint PRIMARY KEY,
    hash text NOT NULL,
    at   timestamptz NOT NULL,
    note text NOT NULL CHECK (octet_length(note) <= 1024)
);

CREATE FUNCTION audit.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only: % on %.% refused',
        TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.event
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER checkpoint_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER head_stays BEFORE INSERT OR DELETE OR TRUNCATE ON audit.head
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
-- ALWAYS: they also fire when session_replication_role is "replica".
ALTER TABLE audit.event ENABLE ALWAYS TRIGGER event_append_only;
ALTER TABLE audit.checkpoint ENABLE ALWAYS TRIGGER checkpoint_append_only;
ALTER TABLE audit.head ENABLE ALWAYS TRIGGER head_stays;

-- The columns are read out of the hashed text, so that the two cannot differ.
CREATE FUNCTION audit.append(payload text) RETURNS TABLE (new_seq bigint, new_hash text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    body jsonb := payload::jsonb;
    old  audit.head;
BEGIN
    SELECT * INTO STRICT old FROM audit.head FOR UPDATE;
    new_seq := old.seq + 1;
    new_hash := encode(sha256(convert_to(
        E'countersign-event/1\n' || new_seq || E'\n' || old.hash || E'\n' || payload,
        'UTF8')), 'hex');
    INSERT INTO audit.event VALUES (
        new_seq, (body ->> 'at')::timestamptz, body ->> 'actor', body ->> 'actor_name',
        body ->> 'action', body ->> 'target_type', body ->> 'target_id',
        body ->> 'target_label', body -> 'data', payload, old.hash, new_hash);
    UPDATE audit.head SET seq = new_seq, hash = new_hash;
    RETURN NEXT;
END
$$;

-- The newest hash, with the row that orders all appends locked until the commit.
CREATE FUNCTION audit.lock_head() RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT hash FROM audit.head FOR UPDATE
$$;

CREATE FUNCTION audit.keep_checkpoint(seq bigint, hash text, at timestamptz, note text)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO audit.checkpoint VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA audit FROM PUBLIC;
GRANT USAGE ON SCHEMA audit TO countersign_app;
GRANT SELECT ON audit.event, audit.head, audit.checkpoint TO countersign_app;
GRANT EXECUTE ON FUNCTION audit.append(text), audit.lock_head(),
    audit.keep_checkpoint(bigint, text, timestamptz, text) TO countersign_app;

RESET ROLE;
