-- A run whose version declares a manifest gets the declared columns itself: never more than its
-- persona has, never more than declared.  cs_granter holds SELECT with grant option on exactly
-- what the personas have, and nothing else.
CREATE OR REPLACE FUNCTION countersign.grant_manifest(login name, persona_role name, manifest jsonb)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    relation record;
BEGIN
    FOR relation IN
        SELECT n.nspname, c.relname, string_agg(format('%I', a.attname), ', ') AS columns
        FROM jsonb_each(manifest -> 'tables') AS declared (name, columns)
        JOIN pg_namespace n ON n.nspname = split_part(declared.name, '.', 1)
        JOIN pg_class c ON c.relnamespace = n.oid AND n.nspname || '.' || c.relname = declared.name
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'p', 'v')
          AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'countersign')
          AND (declared.columns ? a.attname OR declared.columns ? '*')
          AND has_schema_privilege(persona_role, n.oid, 'USAGE')
          AND has_column_privilege(persona_role, c.oid, a.attnum, 'SELECT')
        GROUP BY n.nspname, c.relname
    LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', relation.nspname, login);
        EXECUTE format('GRANT SELECT (%s) ON %I.%I TO %I',
                       relation.columns, relation.nspname, relation.relname, login);
    END LOOP;
END $$;
ALTER FUNCTION countersign.grant_manifest(name, name, jsonb) OWNER TO cs_granter;

-- What was granted can only be taken back by who granted it; DROP OWNED by another fails on it.
CREATE OR REPLACE FUNCTION countersign.revoke_manifest(login name) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    granted record;
BEGIN
    FOR granted IN
        SELECT a.attrelid::regclass AS relation, string_agg(format('%I', a.attname), ', ') AS columns
        FROM pg_shdepend d
        JOIN pg_attribute a ON a.attrelid = d.objid AND a.attnum = d.objsubid
        WHERE d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND d.classid = 'pg_class'::regclass AND d.deptype = 'a'
          AND d.refobjid = (SELECT oid FROM pg_roles WHERE rolname = login)
        GROUP BY a.attrelid
    LOOP
        EXECUTE format('REVOKE SELECT (%s) ON %s FROM %I', granted.columns, granted.relation, login);
    END LOOP;
    FOR granted IN
        SELECT d.objid::regnamespace AS relation FROM pg_shdepend d
        WHERE d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND d.classid = 'pg_namespace'::regclass AND d.deptype = 'a'
          AND d.refobjid = (SELECT oid FROM pg_roles WHERE rolname = login)
    LOOP
        EXECUTE format('REVOKE USAGE ON SCHEMA %s FROM %I', granted.relation, login);
    END LOOP;
END $$;
ALTER FUNCTION countersign.revoke_manifest(name) OWNER TO cs_granter;

-- The two functions below are for the owners of the data: they run with the caller's own rights.
CREATE OR REPLACE FUNCTION countersign.share_persona_grants() RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    statement text;
    shared integer := 0;
BEGIN
    FOR statement IN
        SELECT format('GRANT USAGE ON SCHEMA %I TO cs_granter WITH GRANT OPTION', n.nspname)
        FROM pg_namespace n WHERE n.nspname !~ '^(pg_|information_schema$|countersign$)'
          AND EXISTS (SELECT FROM countersign.personas p
                      WHERE has_schema_privilege('p_' || p.persona, n.oid, 'USAGE'))
        UNION ALL
        SELECT format('GRANT SELECT (%s) ON %s TO cs_granter WITH GRANT OPTION',
                      string_agg(format('%I', a.attname), ', '), c.oid::regclass)
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'p', 'v')
          AND n.nspname !~ '^(pg_|information_schema$|countersign$)'
          AND EXISTS (SELECT FROM countersign.personas p
                      WHERE has_column_privilege('p_' || p.persona, c.oid, a.attnum, 'SELECT'))
        GROUP BY c.oid
    LOOP
        EXECUTE statement;
        shared := shared + 1;
    END LOOP;
    RETURN shared;
END $$;
COMMENT ON FUNCTION countersign.share_persona_grants() IS
    'Call after changing the grants of a persona: lets manifests narrow what personas may read.';

-- An estimate in EXPLAIN tells how often a value occurs in rows that the reader may not see.
CREATE OR REPLACE FUNCTION countersign.hide_frequencies(protected regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    col record;
BEGIN
    FOR col IN
        SELECT a.attname, a.attnum, c.relname, n.nspname FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE a.attrelid = protected AND a.attnum > 0 AND NOT a.attisdropped
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS 0', protected, col.attname);
        IF current_setting('server_version_num')::integer >= 180000 THEN
            PERFORM pg_clear_attribute_stats(col.nspname::text, col.relname::text,
                                             col.attname::text, false);
        ELSE
            DELETE FROM pg_statistic s WHERE s.starelid = protected AND s.staattnum = col.attnum;
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION countersign.hide_frequencies(regclass) IS
    'Forget the value statistics of a table and never collect them again.';
