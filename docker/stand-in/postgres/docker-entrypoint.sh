#!/bin/sh
# As the official image: the first start makes the cluster, the user and the database, and runs the init scripts
# against a server that nobody else can reach yet.
set -eu

case "${1:--}" in -*) set -- postgres "$@" ;; esac
if [ "$1" != postgres ]; then exec "$@"; fi
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"
  chown -R postgres:postgres "$PGDATA"
  chmod 0700 "$PGDATA"
  exec setpriv --reuid postgres --regid postgres --init-groups -- "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE"); fi
  if [ -z "${POSTGRES_PASSWORD:-}" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
    echo "Error: Database is uninitialized and superuser password is not specified (POSTGRES_PASSWORD)." >&2
    exit 1
  fi
  user=${POSTGRES_USER:-postgres}
  database=${POSTGRES_DB:-$user}
  if [ -n "${POSTGRES_PASSWORD:-}" ]; then
    umask 077
    printf '%s\n' "$POSTGRES_PASSWORD" > /tmp/password
    initdb -U "$user" --pwfile=/tmp/password -A trust --auth-host=scram-sha-256 -E UTF8 --locale=C.UTF-8 > /dev/null
    rm /tmp/password
  else
    initdb -U "$user" -A trust -E UTF8 --locale=C.UTF-8 > /dev/null
  fi
  echo "host all all all ${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >> "$PGDATA/pg_hba.conf"
  pg_ctl -w -s -o "-c listen_addresses= -c log_statement=none" start
  if [ "$database" != postgres ]; then
    psql -q -v ON_ERROR_STOP=1 -U "$user" -d postgres -v name="$database" <<'SQL'
CREATE DATABASE :"name";
SQL
  fi
  for file in /docker-entrypoint-initdb.d/*; do
    case "$file" in
      *.sql) echo "running $file"; psql -q -v ON_ERROR_STOP=1 -U "$user" -d "$database" -f "$file" ;;
      *.sh) echo "running $file"; . "$file" ;;
    esac
  done
  pg_ctl -w -s -m fast stop
  echo "PostgreSQL init process complete; ready for start up."
fi
unset POSTGRES_PASSWORD
shift
exec postgres -c listen_addresses='*' "$@"
