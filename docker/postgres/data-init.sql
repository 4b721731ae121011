-- Two empty databases to try a data source on.  A hospital connects its own instead:
-- docs/how-to/connect-your-own-postgresql.md.  Countersign's schema is installed into each by
-- `manage.py install_data_source`.
CREATE DATABASE hospital;
CREATE DATABASE notional;
