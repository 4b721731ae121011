-- Run last: PUBLIC may execute every new function until told otherwise.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA countersign FROM PUBLIC;
GRANT EXECUTE ON FUNCTION countersign.open_run(uuid, text), countersign.close_run(uuid),
    countersign.reap(uuid[], interval) TO cs_broker;
GRANT EXECUTE ON FUNCTION countersign.grant_manifest(name, name, jsonb),
    countersign.revoke_manifest(name) TO cs_roleadmin;
-- What PUBLIC loses and the functions above need.
GRANT EXECUTE ON FUNCTION pg_catalog.pg_advisory_xact_lock(integer, integer),
    pg_catalog.pg_stat_get_activity(integer),
    pg_catalog.pg_terminate_backend(integer, bigint) TO cs_roleadmin;
