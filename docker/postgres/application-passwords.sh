#!/bin/bash
# Give the roles of application-init.sql their passwords, from Docker secrets.
set -euo pipefail
psql --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" \
  --set=owner="$(cat /run/secrets/application_owner_password)" \
  --set=app="$(cat /run/secrets/application_app_password)" << 'SQL'
SET log_statement = 'none';
ALTER ROLE countersign_owner PASSWORD :'owner';
ALTER ROLE countersign_app PASSWORD :'app';
SQL
