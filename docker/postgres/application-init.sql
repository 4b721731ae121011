-- Roles, extensions and rights of Countersign's own database.
--
-- Run by a superuser, connected to that database, as often as one likes; passwords are set
-- separately, so that none stands here.  Shared by docker/compose.yaml and config/embedded.
--
--   countersign_owner   runs migrations and owns the tables
--   countersign_app     what web, worker and beat sign in as: rows only, no tables
--   countersign_audit   owns the event log; nobody signs in as it, and only migrations,
--                       which must say SET ROLE, can act as it

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['countersign_owner', 'countersign_app', 'countersign_audit']
    LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
            EXECUTE pg_catalog.format('CREATE ROLE %I', wanted);
        END IF;
    END LOOP;
END
$$;

ALTER ROLE countersign_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE countersign_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE countersign_audit NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE countersign_app SET search_path = public;
ALTER ROLE countersign_owner SET search_path = public;

GRANT countersign_audit TO countersign_owner WITH INHERIT FALSE, SET TRUE;

DO $$
DECLARE
    here text := pg_catalog.quote_ident(pg_catalog.current_database());
BEGIN
    EXECUTE 'ALTER DATABASE ' || here || ' OWNER TO countersign_owner';
    EXECUTE 'REVOKE ALL ON DATABASE ' || here || ' FROM PUBLIC';
    EXECUTE 'GRANT CONNECT ON DATABASE ' || here || ' TO countersign_app';
END
$$;

ALTER SCHEMA public OWNER TO countersign_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO countersign_app, countersign_audit;

-- Migrations take back what must be append-only.
ALTER DEFAULT PRIVILEGES FOR ROLE countersign_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO countersign_app;
ALTER DEFAULT PRIVILEGES FOR ROLE countersign_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO countersign_app;

CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
CREATE EXTENSION IF NOT EXISTS unaccent SCHEMA public;
