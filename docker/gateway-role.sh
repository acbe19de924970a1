#!/bin/sh
# The gateway's login role: a member of the group role that the migration made, with the password of the secret. May run
# again; then it sets the password anew.
set -eu

export PGPASSWORD
PGPASSWORD=$(cat /run/secrets/postgres_password)
psql -q -v ON_ERROR_STOP=1 -h postgres -U speckit -d speckit \
  -v password="$(cat /run/secrets/gateway_password)" << 'SQL'
SELECT 'CREATE ROLE speckit_gateway_login LOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'speckit_gateway_login')
\gexec
ALTER ROLE speckit_gateway_login PASSWORD :'password';
GRANT speckit_gateway TO speckit_gateway_login;
SQL
