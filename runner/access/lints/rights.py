"""Faults that give a run rights beyond its persona, or a way to leave something behind."""

from runner.access.lints import Lint

EXTENSIONS = ("plpgsql", "pgaudit", "pg_stat_statements", "btree_gin", "btree_gist")
"""Extensions that a data source may have; every other one is reachable code nobody reviewed."""

LINTS = (
    Lint(
        "public_table",
        "SELECT DISTINCT c.oid::regclass::text, a.privilege_type FROM pg_class c"
        " CROSS JOIN LATERAL (SELECT (aclexplode(c.relacl)).* UNION ALL"
        "   SELECT (aclexplode(x.attacl)).* FROM pg_attribute x WHERE x.attrelid = c.oid"
        " ) a WHERE a.grantee = 0 AND (c.oid IN (SELECT oid FROM used_relations)"
        "   OR c.oid IN (SELECT oid FROM protected))",
        "PUBLIC has {1} on {0}, and so has every persona.",
        "REVOKE {1} ON {0} FROM PUBLIC;",
    ),
    Lint(
        "public_schema",
        "SELECT DISTINCT n.nspname, a.privilege_type FROM pg_namespace n,"
        " aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a WHERE a.grantee = 0"
        " AND n.nspname NOT IN ('pg_catalog', 'information_schema')",
        "PUBLIC has {1} on the schema {0}.",
        "REVOKE {1} ON SCHEMA {0} FROM PUBLIC;",
    ),
    Lint(
        "public_language",
        "SELECT l.lanname FROM pg_language l,"
        " aclexplode(coalesce(l.lanacl, acldefault('l', l.lanowner))) a"
        " WHERE a.grantee = 0 AND l.lanpltrusted",
        "PUBLIC may write functions in {0}, which outlive a run.",
        "REVOKE USAGE ON LANGUAGE {0} FROM PUBLIC;",
    ),
    Lint(
        "public_function",
        "SELECT p.oid::regprocedure::text FROM pg_proc p,"
        " aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a"
        " WHERE a.grantee = 0 AND p.pronamespace = 'pg_catalog'::regnamespace"
        " AND p.proname ~ %(revoked)s",
        "PUBLIC may call {0}, which leaves something for others or reaches them.",
        "REVOKE EXECUTE ON FUNCTION {0} FROM PUBLIC; or install_data_source again.",
    ),
    Lint(
        "public_database",
        "SELECT d.datname, a.privilege_type FROM pg_database d,"
        " aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a"
        " WHERE a.grantee = 0 AND d.datallowconn",
        "PUBLIC has {1} on the database {0} of this cluster, and so has every run.",
        "REVOKE {1} ON DATABASE {0} FROM PUBLIC;",
    ),
    Lint(
        "definer_without_search_path",
        "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n"
        " ON n.oid = p.pronamespace WHERE p.prosecdef AND n.nspname !~ '^pg_'"
        " AND NOT EXISTS (SELECT FROM unnest(p.proconfig) s WHERE s LIKE 'search_path=%%')",
        "The SECURITY DEFINER function {0} finds its tables by the caller's search_path.",
        "ALTER FUNCTION {0} SET search_path = pg_catalog, pg_temp;",
    ),
    Lint(
        "definer_for_public",
        "SELECT DISTINCT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n"
        " ON n.oid = p.pronamespace,"
        " aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a"
        " WHERE p.prosecdef AND n.nspname !~ '^pg_' AND a.grantee = 0",
        "Everybody may call the SECURITY DEFINER function {0}.",
        "REVOKE EXECUTE ON FUNCTION {0} FROM PUBLIC;",
    ),
    Lint(
        "persona_can_write",
        """SELECT DISTINCT r.rolname, c.oid::regclass::text FROM reader_roles r, used_relations c
        WHERE c.relkind IN ('r', 'p', 'v', 'f', 'm')
          AND (has_table_privilege(r.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
               OR has_any_column_privilege(r.oid, c.oid, 'INSERT, UPDATE, REFERENCES'))
        UNION ALL
        SELECT r.rolname, 'schema ' || s.nspname FROM reader_roles r, used_schemas s
        WHERE has_schema_privilege(r.oid, s.oid, 'CREATE')""",
        "{0} may change {1}; a persona only reads.",
        "Revoke everything but SELECT (on a schema: USAGE) on {1} from {0}.",
    ),
    Lint(
        "policy_role_has_grants",
        "SELECT DISTINCT r.rolname FROM persona_roles r JOIN pg_shdepend d"
        " ON d.refclassid = 'pg_authid'::regclass AND d.refobjid = r.oid AND d.deptype = 'a'"
        " AND d.classid IN ('pg_class'::regclass, 'pg_namespace'::regclass)"
        " WHERE r.rolname LIKE 'rls\\_%%' AND d.dbid ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())",
        "{0} may read by itself; it is for policies only, or manifests would not narrow.",
        "Revoke them from {0} and grant to p_<persona> instead.",
    ),
    Lint(
        "personas_not_apart",
        "SELECT m.rolname, g.rolname FROM pg_auth_members a"
        " JOIN reader_roles m ON m.oid = a.member JOIN pg_roles g ON g.oid = a.roleid",
        "{0} is a member of {1}: whoever has the one has both.",
        "REVOKE {1} FROM {0};",
    ),
    Lint(
        "persona_has_members",
        "SELECT r.rolname, m.rolname FROM pg_auth_members a"
        " JOIN reader_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member"
        " WHERE m.rolname <> 'cs_roleadmin' AND m.rolname !~ '^r_[0-9a-f]{32}$'"
        " AND m.oid NOT IN (SELECT oid FROM reader_roles)",
        "{1} is a member of {0}; only the login of a run may be.",
        "REVOKE {0} FROM {1};",
    ),
    Lint(
        "role_too_strong",
        "SELECT r.rolname FROM pg_roles r WHERE (r.rolname IN ('cs_web', 'cs_broker',"
        " 'cs_identity', 'cs_schema', 'cs_granter', 'cs_roleadmin')"
        "   OR r.oid IN (SELECT oid FROM reader_roles) OR r.rolname ~ '^r_[0-9a-f]{32}$')"
        " AND (r.rolsuper OR r.rolbypassrls OR r.rolcreatedb OR r.rolreplication"
        "   OR (r.rolcreaterole AND r.rolname <> 'cs_roleadmin')"
        "   OR (r.rolcanlogin AND r.rolname !~ '^(cs_web|cs_broker|cs_identity|r_[0-9a-f]{32})$'))",
        "The role {0} has an attribute that it must not have.",
        "Run install_data_source again; it takes the attribute from {0}.",
    ),
    Lint(
        "role_has_members",
        "SELECT g.rolname, m.rolname FROM pg_auth_members a"
        " JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member"
        " WHERE g.rolname IN ('cs_roleadmin', 'cs_schema', 'cs_granter')"
        "   OR (m.rolname IN ('cs_web', 'cs_broker', 'cs_identity', 'cs_schema', 'cs_granter'))",
        "{1} is a member of {0}.",
        "REVOKE {0} FROM {1};",
    ),
    Lint(
        "unknown_run_role",
        "SELECT r.rolname FROM pg_roles r WHERE r.rolname ~ '^r_[0-9a-f]{32}$'"
        " AND NOT EXISTS (SELECT FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid"
        "   WHERE a.member = r.oid AND g.rolname LIKE 'cs\\_run\\_%%')",
        "The role {0} looks like the login of a run but belongs to no data source.",
        "DROP ROLE {0};",
    ),
    Lint(
        "extension_not_allowed",
        "SELECT e.extname FROM pg_extension e WHERE e.extname <> ALL (%(extensions)s)",
        "The extension {0} is not on the list of those that runs may reach.",
        "DROP EXTENSION {0}; or keep it in a database that is no data source.",
    ),
    Lint(
        "manifest_grants_missing",
        """SELECT DISTINCT c.oid::regclass::text FROM persona_roles r, used_relations c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'p', 'v') AND has_column_privilege(r.oid, c.oid, a.attnum, 'SELECT')
          AND NOT has_column_privilege('cs_granter', c.oid, a.attnum, 'SELECT WITH GRANT OPTION')""",
        "A version that declares columns of {0} gets none of them.",
        "SELECT countersign.share_persona_grants();",
        severity="warning",
    ),
)
