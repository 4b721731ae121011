-- What PostgreSQL gives to everybody and would let one run leave something for another.
-- Functions are revoked by install.py from the list in public_rights.py.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE USAGE ON LANGUAGE plpgsql, sql FROM PUBLIC;
