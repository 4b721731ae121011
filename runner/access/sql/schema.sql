-- The tables that Countersign keeps in an owner's database.  Owned by cs_schema, which nobody
-- may log in as; every other role holds exactly the grants below.
CREATE SCHEMA IF NOT EXISTS countersign AUTHORIZATION cs_schema;
REVOKE ALL ON SCHEMA countersign FROM PUBLIC;

CREATE TABLE IF NOT EXISTS countersign.installation (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    database_name text NOT NULL,
    marker name NOT NULL,
    kind text NOT NULL CHECK (kind IN ('run', 'preview')),
    installed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE countersign.installation IS
    'What this database is: a real source (kind run) or a notional twin (kind preview).';

CREATE TABLE IF NOT EXISTS countersign.personas (
    persona text PRIMARY KEY CHECK (persona ~ '^[a-z][a-z_]{0,39}$')
);
COMMENT ON TABLE countersign.personas IS
    'The personas this database knows; each has the roles p_<persona> and rls_<persona>.';

CREATE TABLE IF NOT EXISTS countersign.people (
    username text NOT NULL CHECK (username <> ''),
    persona text NOT NULL REFERENCES countersign.personas,
    department text NOT NULL DEFAULT '',
    PRIMARY KEY (username, persona)
);
COMMENT ON TABLE countersign.people IS
    'Who may act as what. Written by identity management (cs_identity) and nobody else.';

CREATE TABLE IF NOT EXISTS countersign.tickets (
    run_id uuid PRIMARY KEY,
    username text NOT NULL,
    persona text NOT NULL CHECK (persona ~ '^[a-z][a-z_]{0,39}$'),
    version_digest text NOT NULL CHECK (version_digest ~ '^[0-9a-f]{64}$'),
    purpose text NOT NULL CHECK (purpose <> ''),
    kind text NOT NULL,
    manifest jsonb
        CHECK (manifest IS NULL OR jsonb_typeof(manifest -> 'tables') IS NOT DISTINCT FROM 'object'),
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    redeemed_at timestamptz,
    CONSTRAINT tickets_expire_within_a_day CHECK (expires_at <= created_at + interval '24 hours')
);
CREATE INDEX IF NOT EXISTS tickets_not_redeemed
    ON countersign.tickets (created_at) WHERE redeemed_at IS NULL;
COMMENT ON TABLE countersign.tickets IS
    'One request for a login per run. The web server inserts, open_run redeems once.';

CREATE TABLE IF NOT EXISTS countersign.runs (
    run_id uuid PRIMARY KEY,
    role_name name NOT NULL UNIQUE,
    role_oid oid NOT NULL,
    username text,
    persona text,
    department text,
    version_digest text,
    purpose text,
    kind text,
    manifest jsonb,
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    closed_at timestamptz,
    closed_because text CHECK (closed_because IN ('closed', 'expired', 'abandoned', 'orphan')),
    dropped_at timestamptz,
    CONSTRAINT runs_have_a_person CHECK (closed_because = 'orphan' OR username IS NOT NULL)
);
CREATE INDEX IF NOT EXISTS runs_not_dropped ON countersign.runs (closed_at) WHERE dropped_at IS NULL;
COMMENT ON TABLE countersign.runs IS
    'Every login that was ever opened here, for whom, and when it was closed and dropped.';

CREATE TABLE IF NOT EXISTS countersign.reviewed_views (
    view_name text PRIMARY KEY,
    reviewed_by text NOT NULL,
    reason text NOT NULL
);
COMMENT ON TABLE countersign.reviewed_views IS
    'Views that read with their owner''s rights on purpose; any other is a problem of the check.';

ALTER TABLE countersign.installation OWNER TO cs_schema;
ALTER TABLE countersign.personas OWNER TO cs_schema;
ALTER TABLE countersign.people OWNER TO cs_schema;
ALTER TABLE countersign.tickets OWNER TO cs_schema;
ALTER TABLE countersign.runs OWNER TO cs_schema;
ALTER TABLE countersign.reviewed_views OWNER TO cs_schema;
REVOKE ALL ON ALL TABLES IN SCHEMA countersign FROM PUBLIC, cs_web, cs_broker, cs_identity;

GRANT USAGE ON SCHEMA countersign TO cs_web, cs_broker, cs_identity, cs_roleadmin, cs_granter;
GRANT INSERT (run_id, username, persona, version_digest, purpose, kind, manifest, expires_at)
    ON countersign.tickets TO cs_web;
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.people TO cs_identity;
GRANT SELECT ON countersign.installation, countersign.personas, countersign.reviewed_views
    TO cs_broker;
GRANT SELECT ON countersign.installation, countersign.personas TO cs_identity;
GRANT SELECT ON countersign.installation, countersign.personas, countersign.people,
    countersign.tickets, countersign.runs TO cs_roleadmin;
GRANT UPDATE (redeemed_at) ON countersign.tickets TO cs_roleadmin;
GRANT INSERT, UPDATE (closed_at, closed_because, dropped_at) ON countersign.runs TO cs_roleadmin;
