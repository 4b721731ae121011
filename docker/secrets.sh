#!/bin/bash
# Make every secret that docker/compose.yaml names and that is not there yet: as root, since
# Compose shows a file to a container with its owner and mode on the host, and each of these
# is readable by the one user that needs it.
#   sudo docker/secrets.sh [FOLDER]
set -euo pipefail
umask 077
folder=${1:-$(dirname "$0")/secrets}
app=10001      # docker/Dockerfile: web, workers, beat, migrations, install
postgres=999   # docker/compose.yaml: both databases
valkey=999     # docker/compose.yaml: the queue

if [ "$(id -u)" != 0 ]; then
  echo "Run this as root: each secret is handed to the user that reads it." >&2
  exit 1
fi
mkdir -m 0700 -p "$folder"
cd "$folder"

key() { head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n'; }
password() { key | tr -d '='; }
long() { password; password; }

# keep NAME OWNER COMMAND…: what the command prints, unless there is such a secret already.
keep() {
  local name=$1 owner=$2
  shift 2
  if [ ! -s "$name" ]; then
    "$@" > "$name.new"
    mv "$name.new" "$name"
  fi
  chown "$owner:$owner" "$name"
  chmod 0400 "$name"
}

application() { printf 'postgresql://%s:%s@/countersign?host=/run/application-db' "$1" "$(cat "$2")"; }
# The trial's database lies beside Countersign; for your own, replace the eight *_dsn files.
data() { printf 'postgresql://%s:%s@/%s?host=/run/data-db' "$1" "$(cat "$2")" "$3"; }
queue() { printf 'redis://:%s@broker:6379/0' "$(cat broker_password)"; }
queue_configuration() { printf 'save ""\nrequirepass %s\n' "$(cat broker_password)"; }

keep secret_key $app long
keep signing_key $app key
keep result_keys $app key
# The settings insist on these three; who does not need the real ones gets these.
keep unused_secret_key $app long
keep unused_signing_key $app key
keep unused_result_keys $app key

for name in application_superuser application_owner application_app data_superuser; do
  keep ${name}_password $postgres password
done
keep database_url $app application countersign_app application_app_password
keep owner_database_url $app application countersign_owner application_owner_password

keep broker_password 0 password
keep broker_url $app queue
keep broker_configuration $valkey queue_configuration

for login in ticket:cs_web broker:cs_broker identity:cs_identity; do
  purpose=${login%%:*}
  role=${login##*:}
  keep "${role}_password" 0 password
  keep "data_${purpose}_dsn" $app data "$role" "${role}_password" hospital
  keep "notional_${purpose}_dsn" $app data "$role" "${role}_password" notional
done
keep data_owner_dsn $app data postgres data_superuser_password hospital
keep notional_owner_dsn $app data postgres data_superuser_password notional
echo "The secrets are in $PWD."
