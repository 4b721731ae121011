-- Opening and closing one run's login.  All are owned by cs_roleadmin, the only role that may
-- create roles; nobody can log in as it or become it, so these functions are its whole reach.
-- SQLSTATEs of refusals (class CS) are mapped to codes in runner/access/errors.py.
CREATE OR REPLACE FUNCTION countersign.require_installation() RETURNS countersign.installation
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    installed countersign.installation;
BEGIN
    SELECT * INTO installed FROM countersign.installation;
    -- A copy or a restored backup carries the marker of the database it was made from.
    IF installed.database_name IS DISTINCT FROM current_database()::text THEN
        RAISE EXCEPTION 'Countersign was installed for database %, this is %.',
            installed.database_name, current_database() USING ERRCODE = 'CS009';
    END IF;
    RETURN installed;
END $$;

CREATE OR REPLACE FUNCTION countersign.refuse_ticket(wanted uuid) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ticket countersign.tickets;
BEGIN
    SELECT * INTO ticket FROM countersign.tickets WHERE run_id = wanted;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no ticket for this run.' USING ERRCODE = 'CS001';
    ELSIF ticket.redeemed_at IS NOT NULL THEN
        RAISE EXCEPTION 'The ticket of this run was used already.' USING ERRCODE = 'CS002';
    END IF;
    RAISE EXCEPTION 'The ticket of this run expired.' USING ERRCODE = 'CS003';
END $$;

CREATE OR REPLACE FUNCTION countersign.create_login(
    login name, verifier text, valid_until timestamptz, rights name[]
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    membership name;
BEGIN
    EXECUTE format(
        'CREATE ROLE %I LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION '
        'NOBYPASSRLS CONNECTION LIMIT 2 VALID UNTIL %L PASSWORD %L', login, valid_until, verifier);
    -- A guard against accidents (SQL may lift it), and one that SQL may not lift.
    EXECUTE format('ALTER ROLE %I SET default_transaction_read_only = on', login);
    EXECUTE format('ALTER ROLE %I SET temp_file_limit = ''2GB''', login);
    FOREACH membership IN ARRAY rights LOOP
        EXECUTE format('GRANT %I TO %I WITH INHERIT TRUE, SET FALSE, ADMIN FALSE',
                       membership, login);
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION countersign.open_run(run_id uuid, scram_verifier text)
RETURNS TABLE (role_name text, expires_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET createrole_self_grant = '' AS $$
#variable_conflict use_column
DECLARE
    wanted ALIAS FOR $1;
    installed countersign.installation := countersign.require_installation();
    ticket countersign.tickets;
    assigned countersign.people;
    login name := 'r_' || replace(wanted::text, '-', '');
    rights name[];
BEGIN
    IF scram_verifier !~ '^SCRAM-SHA-256\$[0-9]{4,7}:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$' THEN
        RAISE EXCEPTION 'A login is opened with a SCRAM verifier, never with a password.'
            USING ERRCODE = 'CS006';
    END IF;
    -- An open that grants and a close that revokes at once would fail on the same catalog row.
    PERFORM pg_advisory_xact_lock(4850187, 1);
    UPDATE countersign.tickets t SET redeemed_at = clock_timestamp()
        WHERE t.run_id = wanted AND t.redeemed_at IS NULL AND t.expires_at > clock_timestamp()
        RETURNING t.* INTO ticket;
    IF NOT FOUND THEN
        PERFORM countersign.refuse_ticket(wanted);
    END IF;
    SELECT * INTO assigned FROM countersign.people p
        WHERE p.username = ticket.username AND p.persona = ticket.persona;
    IF NOT FOUND THEN
        RAISE EXCEPTION '% does not hold the persona % here.', ticket.username, ticket.persona
            USING ERRCODE = 'CS004';
    END IF;
    rights := ARRAY[installed.marker, 'rls_' || ticket.persona];
    IF ticket.manifest IS NULL THEN
        rights := rights || ARRAY['p_' || ticket.persona]::name[];
    END IF;
    PERFORM countersign.create_login(login, scram_verifier, ticket.expires_at, rights);
    IF ticket.manifest IS NOT NULL THEN
        PERFORM countersign.grant_manifest(login, 'p_' || ticket.persona, ticket.manifest);
    END IF;
    INSERT INTO countersign.runs (run_id, role_name, role_oid, username, persona, department,
                                  version_digest, purpose, kind, manifest, expires_at)
        VALUES (wanted, login, to_regrole(login::text)::oid, ticket.username, ticket.persona,
                assigned.department, ticket.version_digest, ticket.purpose, ticket.kind,
                ticket.manifest, ticket.expires_at);
    RETURN QUERY SELECT login::text, ticket.expires_at;
END $$;

CREATE OR REPLACE FUNCTION countersign.shut_login(wanted uuid, because text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    login name;
BEGIN
    UPDATE countersign.runs SET closed_at = clock_timestamp(), closed_because = because
        WHERE run_id = wanted AND closed_at IS NULL RETURNING role_name INTO login;
    IF login IS NOT NULL AND to_regrole(login::text) IS NOT NULL THEN
        EXECUTE format('ALTER ROLE %I NOLOGIN', login);
    END IF;
END $$;

CREATE OR REPLACE FUNCTION countersign.drop_login(wanted uuid, login name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(4850187, 1);
    IF to_regrole(login::text) IS NOT NULL THEN
        PERFORM countersign.revoke_manifest(login);
        -- DROP OWNED asks for the privileges of the role: taken for this one statement.
        EXECUTE format('GRANT %I TO cs_roleadmin WITH INHERIT TRUE, SET FALSE', login);
        EXECUTE format('DROP OWNED BY %I', login);
        EXECUTE format('DROP ROLE %I', login);
    END IF;
    UPDATE countersign.runs SET dropped_at = clock_timestamp()
        WHERE run_id = wanted AND dropped_at IS NULL;
END $$;

-- One call takes one step that must be committed before the next: closed and NOLOGIN, sessions
-- ended, dropped.  Call until it answers 'closed'; a caller that dies is followed by the reaper.
CREATE OR REPLACE FUNCTION countersign.close_run(run_id uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    wanted ALIAS FOR $1;
    run countersign.runs;
    ended integer;
BEGIN
    PERFORM countersign.require_installation();
    -- A run that is over before it was opened shall not be opened later.
    UPDATE countersign.tickets t SET redeemed_at = clock_timestamp()
        WHERE t.run_id = wanted AND t.redeemed_at IS NULL;
    SELECT * INTO run FROM countersign.runs r WHERE r.run_id = wanted FOR UPDATE;
    IF NOT FOUND OR run.dropped_at IS NOT NULL THEN
        RETURN 'closed';
    ELSIF run.closed_at IS NULL THEN
        PERFORM countersign.shut_login(wanted, 'closed');
        RETURN 'closing';
    END IF;
    SELECT count(pg_terminate_backend(a.pid)) INTO ended
        FROM pg_stat_activity a WHERE a.usesysid = run.role_oid;
    IF ended > 0 THEN
        RETURN 'closing';
    END IF;
    PERFORM countersign.drop_login(wanted, run.role_name);
    RETURN 'closed';
END $$;

-- Shut every login of this database that has no live run, and name those to be closed.
-- A login younger than the grace may belong to a run that the caller did not know of yet.
CREATE OR REPLACE FUNCTION countersign.reap(live uuid[], grace interval DEFAULT '10 seconds')
RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    installed countersign.installation := countersign.require_installation();
BEGIN
    INSERT INTO countersign.runs (run_id, role_name, role_oid, expires_at,
                                  closed_at, closed_because)
        SELECT substr(m.rolname, 3)::uuid, m.rolname, m.oid, clock_timestamp(),
               clock_timestamp(), 'orphan'
        FROM pg_auth_members g
        JOIN pg_roles m ON m.oid = g.member
        WHERE g.roleid = to_regrole(quote_ident(installed.marker))
          AND m.rolname ~ '^r_[0-9a-f]{32}$'
        ON CONFLICT (run_id) DO NOTHING;
    PERFORM countersign.shut_login(r.run_id, CASE WHEN r.expires_at <= clock_timestamp()
                                                  THEN 'expired' ELSE 'abandoned' END)
        FROM countersign.runs r
        WHERE r.closed_at IS NULL
          AND (r.expires_at <= clock_timestamp()
               OR (r.run_id <> ALL (coalesce(live, '{}')) AND r.opened_at <= clock_timestamp() - grace));
    -- A run that was lost before it opened a login shall not open one later.
    UPDATE countersign.tickets t SET redeemed_at = clock_timestamp()
        WHERE t.redeemed_at IS NULL AND t.expires_at > clock_timestamp()
          AND t.run_id <> ALL (coalesce(live, '{}'))
          -- Tickets come before their runs, which wait for locks of the application's database.
          AND t.created_at <= clock_timestamp() - grace - interval '1 minute';
    -- A session that slipped in while its role was dropped belongs to no role any more.
    PERFORM pg_terminate_backend(a.pid) FROM pg_stat_activity a
        WHERE a.datname = current_database() AND a.usesysid IN (
            SELECT r.role_oid FROM countersign.runs r WHERE r.dropped_at IS NOT NULL
              AND r.dropped_at > clock_timestamp() - interval '2 days')
          AND NOT EXISTS (SELECT FROM pg_roles o WHERE o.oid = a.usesysid);
    RETURN QUERY SELECT r.run_id FROM countersign.runs r
        WHERE r.closed_at IS NOT NULL AND r.dropped_at IS NULL ORDER BY r.closed_at;
END $$;

ALTER FUNCTION countersign.require_installation() OWNER TO cs_roleadmin;
ALTER FUNCTION countersign.refuse_ticket(uuid) OWNER TO cs_roleadmin;
ALTER FUNCTION countersign.create_login(name, text, timestamptz, name[]) OWNER TO cs_roleadmin;
ALTER FUNCTION countersign.open_run(uuid, text) OWNER TO cs_roleadmin;
ALTER FUNCTION countersign.shut_login(uuid, text) OWNER TO cs_roleadmin;
ALTER FUNCTION countersign.drop_login(uuid, name) OWNER TO cs_roleadmin;
ALTER FUNCTION countersign.close_run(uuid) OWNER TO cs_roleadmin;
ALTER FUNCTION countersign.reap(uuid[], interval) OWNER TO cs_roleadmin;
