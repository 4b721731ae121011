"""What PUBLIC must not have in a data source: used by the installation and by the check."""

REVOKED_FUNCTIONS = (
    r"lo_.*",
    r"loread",
    r"lowrite",
    r"pg_(try_)?advisory_.*",
    r"pg_notify",
    r"pg_logical_emit_message",
    r"pg_sleep.*",
    r"pg_export_snapshot",
    r"txid_current",
    r"pg_current_xact_id",
    r".*_to_xml.*",
    r"pg_(cancel|terminate)_backend",
    r"pg_stat_get_activity",
    r"pg_lock_status",
    r"nextval",
    r"currval",
    r"setval",
    r"lastval",
)
"""Names in pg_catalog, as regular expressions.

Large objects, locks, notifications, logical messages, snapshots and sequences outlive a
statement or reach another session; the XML mappings read tables named in strings; the activity
and
lock views show who works here; sleeping holds a connection for nothing.
"""


def revoked_functions_pattern() -> str:
    """Return one anchored regular expression for all of REVOKED_FUNCTIONS."""
    return f"^({'|'.join(REVOKED_FUNCTIONS)})$"
