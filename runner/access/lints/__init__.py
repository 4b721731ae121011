"""What the check looks for in a data source, one lint per fault, each a query of the catalog."""

from dataclasses import dataclass
from typing import LiteralString

SCOPE: LiteralString = """
WITH persona_roles AS (
    SELECT r.oid, r.rolname FROM countersign.personas p
    JOIN pg_roles r ON r.rolname IN ('p_' || p.persona, 'rls_' || p.persona)
), marker AS (
    SELECT r.oid, r.rolname FROM countersign.installation i JOIN pg_roles r ON r.rolname = i.marker
), reader_roles AS (
    SELECT * FROM persona_roles UNION SELECT * FROM marker
), used_schemas AS (
    SELECT n.oid, n.nspname FROM pg_namespace n
    WHERE n.nspname !~ '^(pg_|information_schema$|countersign$)'
      AND EXISTS (SELECT FROM reader_roles r WHERE has_schema_privilege(r.oid, n.oid, 'USAGE'))
), used_relations AS (
    SELECT c.* FROM pg_class c WHERE c.relnamespace IN (SELECT oid FROM used_schemas)
), views AS (
    SELECT c.oid, c.relowner, c.reloptions,
           n.nspname || '.' || c.relname AS view_name,
           coalesce((SELECT bool_or(o.option_value::boolean) FROM pg_options_to_table(c.reloptions) o
                     WHERE o.option_name = 'security_invoker'), false) AS invoker,
           coalesce((SELECT bool_or(o.option_value::boolean) FROM pg_options_to_table(c.reloptions) o
                     WHERE o.option_name = 'security_barrier'), false) AS barrier
    FROM used_relations c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'v'
), behind_views AS (
    SELECT DISTINCT v.relowner AS reader, b.oid AS relation
    FROM views v
    JOIN pg_rewrite w ON w.ev_class = v.oid
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
                    AND d.refclassid = 'pg_class'::regclass
    JOIN pg_class b ON b.oid = d.refobjid AND b.relkind IN ('r', 'p')
    WHERE NOT v.invoker
), protected AS (
    SELECT c.oid, c.oid::regclass::text AS name, c.relrowsecurity, c.relforcerowsecurity
    FROM pg_class c WHERE c.relkind IN ('r', 'p')
      AND (c.oid IN (SELECT oid FROM used_relations)
           OR c.oid IN (SELECT relation FROM behind_views))
)
"""
"""Common names of the queries: `used_schemas` are those that any persona may use, `protected` the
tables in them and the tables behind their owner-rights views, wherever those lie."""


@dataclass(frozen=True)
class Lint:
    """One fault to look for.

    Attributes:
        code: stable name.
        query: after SCOPE; one row per fault, its first column fills `{0}` and so on.
        message: what is wrong, with the query's columns as `{0}`, `{1}`.
        remedy: what the owners do about it; the same columns.
        severity: "error" refuses launches, "warning" does not.
    """

    code: str
    query: LiteralString
    message: str
    remedy: str
    severity: str = "error"
