-- For the owners of the data: these run with the rights of whoever calls them, and need a superuser.

-- Row-level security, forced, and the policy that cuts a closed run off. `readers` are the owners of
-- views that read this table on behalf of a run.
CREATE OR REPLACE FUNCTION countersign.protect(protected regclass, VARIADIC readers name[] DEFAULT '{}')
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    roles text;
BEGIN
    SELECT string_agg(quote_ident(role), ', ') INTO roles
        FROM (SELECT marker AS role FROM countersign.installation UNION SELECT unnest(readers)) r;
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', protected);
    EXECUTE format('DROP POLICY IF EXISTS live ON %s', protected);
    EXECUTE format('CREATE POLICY live ON %s AS RESTRICTIVE FOR SELECT TO %s '
                   'USING ((SELECT countersign.live()))', protected, roles);
END $$;
COMMENT ON FUNCTION countersign.protect(regclass, name[]) IS
    'Switch row-level security on for a table, for its owner too, and cut closed runs off.';

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
