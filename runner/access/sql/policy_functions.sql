-- What the owners' policies may ask about the run behind a session.  The answer hangs on
-- session_user alone: unlike current_user or a setting, nothing that SQL can say changes it.
-- A run that is closed, expired, or whose person lost the persona, is nobody.
CREATE OR REPLACE FUNCTION countersign.username() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.username FROM countersign.runs r
    JOIN countersign.people p USING (username, persona, department)
    WHERE r.role_name = session_user AND r.closed_at IS NULL AND r.expires_at > clock_timestamp()
$$;
COMMENT ON FUNCTION countersign.username() IS 'The person behind this session, or NULL.';

CREATE OR REPLACE FUNCTION countersign.persona() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.persona FROM countersign.runs r
    JOIN countersign.people p USING (username, persona, department)
    WHERE r.role_name = session_user AND r.closed_at IS NULL AND r.expires_at > clock_timestamp()
$$;
COMMENT ON FUNCTION countersign.persona() IS 'The persona of this session''s run, or NULL.';

CREATE OR REPLACE FUNCTION countersign.department() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT nullif(r.department, '') FROM countersign.runs r
    JOIN countersign.people p USING (username, persona, department)
    WHERE r.role_name = session_user AND r.closed_at IS NULL AND r.expires_at > clock_timestamp()
$$;
COMMENT ON FUNCTION countersign.department() IS 'The department of the person''s persona, or NULL.';

CREATE OR REPLACE FUNCTION countersign.live() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT countersign.username() IS NOT NULL
$$;
COMMENT ON FUNCTION countersign.live() IS
    'Whether this session''s run is open: the restrictive policy that cuts a closed run off.';

ALTER FUNCTION countersign.username() OWNER TO cs_schema;
ALTER FUNCTION countersign.persona() OWNER TO cs_schema;
ALTER FUNCTION countersign.department() OWNER TO cs_schema;
ALTER FUNCTION countersign.live() OWNER TO cs_schema;
