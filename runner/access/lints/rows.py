"""Faults that show a run rows which its person may not see."""

from runner.access.lints import Lint

LINTS = (
    Lint(
        "rls_missing",
        "SELECT name FROM protected WHERE NOT relrowsecurity",
        "The table {0} has no row-level security: whoever may read it reads every row.",
        "ALTER TABLE {0} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;",
    ),
    Lint(
        "rls_not_forced",
        "SELECT name FROM protected WHERE relrowsecurity AND NOT relforcerowsecurity",
        "The owner of {0} reads every row, and so does any view or function of that owner.",
        "ALTER TABLE {0} FORCE ROW LEVEL SECURITY;",
    ),
    Lint(
        "policy_for_public",
        "SELECT p.polname, t.name FROM pg_policy p JOIN protected t ON t.oid = p.polrelid"
        " WHERE p.polpermissive AND (p.polroles = '{0}'"
        "   OR p.polroles && ARRAY(SELECT oid FROM marker))",
        "The policy {0} on {1} is for everybody: it gives its rows to every persona.",
        "ALTER POLICY {0} ON {1} TO rls_<persona>;",
    ),
    Lint(
        "policy_reads_setting",
        "SELECT p.polname, t.name FROM pg_policy p JOIN protected t ON t.oid = p.polrelid"
        " WHERE pg_get_expr(p.polqual, p.polrelid) ~ 'current_setting\\('",
        "The policy {0} on {1} trusts a setting, which any statement can change.",
        "Use countersign.username(), .department() or .persona() in the policy {0} ON {1}.",
    ),
    Lint(
        "live_policy_missing",
        """, needed AS (
            SELECT t.oid, t.name, m.oid AS reader, m.rolname::text AS reader_name
            FROM protected t, marker m WHERE t.oid IN (SELECT oid FROM used_relations)
            UNION
            SELECT t.oid, t.name, r.oid, r.rolname::text
            FROM behind_views b JOIN protected t ON t.oid = b.relation
            JOIN pg_roles r ON r.oid = b.reader
        )
        SELECT n.name, n.reader_name FROM needed n WHERE NOT EXISTS (
            SELECT FROM pg_policy p WHERE p.polrelid = n.oid AND NOT p.polpermissive
              AND p.polcmd IN ('r', '*') AND (p.polroles = '{0}' OR n.reader = ANY (p.polroles))
              AND pg_get_expr(p.polqual, p.polrelid) IN
                  ('countersign.live()', '( SELECT countersign.live() AS live)'))""",
        "Closing a run does not cut its sessions off from {0}, read as {1}.",
        "CREATE POLICY live ON {0} AS RESTRICTIVE FOR SELECT TO {1}"
        " USING ((SELECT countersign.live())); or add {1} to its roles.",
    ),
    Lint(
        "owner_rights_view",
        "SELECT v.view_name FROM views v WHERE NOT v.invoker"
        " AND v.view_name NOT IN (SELECT view_name FROM countersign.reviewed_views)",
        "The view {0} reads with its owner's rights and nobody reviewed it.",
        "ALTER VIEW {0} SET (security_invoker = true); or review it and add it to"
        " countersign.reviewed_views.",
    ),
    Lint(
        "view_without_barrier",
        "SELECT v.view_name FROM views v WHERE NOT v.invoker AND NOT v.barrier"
        " AND v.view_name IN (SELECT view_name FROM countersign.reviewed_views)",
        "The view {0} lets a condition of the reader run before its own.",
        "ALTER VIEW {0} SET (security_barrier = true);",
    ),
    Lint(
        "materialized_view",
        "SELECT oid::regclass::text FROM used_relations WHERE relkind = 'm'",
        "The materialized view {0} keeps rows that no policy filters.",
        "Move {0} to a schema that no persona may use, or make it a view.",
    ),
    Lint(
        "foreign_table",
        "SELECT oid::regclass::text FROM used_relations WHERE relkind = 'f'",
        "The foreign table {0} cannot have row-level security.",
        "Move {0} to a schema that no persona may use.",
    ),
    Lint(
        "leakproof_function",
        "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n"
        " ON n.oid = p.pronamespace WHERE p.proleakproof AND n.nspname !~ '^pg_'",
        "The function {0} is declared LEAKPROOF and may see rows before the policies.",
        "ALTER FUNCTION {0} NOT LEAKPROOF;",
    ),
    Lint(
        "frequencies_visible",
        "SELECT s.schemaname || '.' || s.tablename, s.attname FROM pg_stats s"
        " JOIN protected t ON t.oid = (quote_ident(s.schemaname) || '.' || quote_ident(s.tablename))::regclass"
        " WHERE s.most_common_vals IS NOT NULL",
        "EXPLAIN tells how often a value of {0}.{1} occurs in everybody's rows.",
        "ALTER TABLE {0} ALTER COLUMN {1} SET STATISTICS 0; then pg_clear_attribute_stats"
        " (PostgreSQL 18), or SELECT countersign.hide_frequencies('{0}');",
        severity="warning",
    ),
    Lint(
        "extended_statistics",
        "SELECT s.stxnamespace::regnamespace || '.' || s.stxname, t.name FROM pg_statistic_ext s"
        " JOIN protected t ON t.oid = s.stxrelid",
        "The statistics object {0} tells in EXPLAIN how often values of {1} occur together.",
        "DROP STATISTICS {0};",
        severity="warning",
    ),
)
