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
