#!/bin/sh
# Makes what docker/compose.yaml reads: a file for compose itself (env), one with the settings of workers and gateway
# (settings.env) and one per secret, below .speckit/compose (or the folder given). What is there stays as it is. Keys of
# your own go into files there: codex_api_key, anthropic_api_key, gemini_api_key, git_token.
#   docker/prepare-compose.sh [FOLDER]
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
folder=${1:-$here/../.speckit/compose}
mkdir -p "$folder/secrets"
folder=$(CDPATH='' cd -- "$folder" && pwd)
# The folder is yours alone. The files are readable because compose mounts them as they are, and the programs in the
# containers are other users than you.
chmod 0700 "$folder" "$folder/secrets"
umask 022

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
secret() { if [ ! -e "$folder/secrets/$1" ]; then printf '%s' "$2" > "$folder/secrets/$1"; fi; }

secret postgres_password "$(random)"
secret gateway_password "$(random)"
secret rabbitmq_password "$(random)"
owner=$(cat "$folder/secrets/postgres_password")
gateway=$(cat "$folder/secrets/gateway_password")
broker=$(cat "$folder/secrets/rabbitmq_password")
secret database_url "postgres://speckit:$owner@postgres:5432/speckit"
secret gateway_database_url "postgres://speckit_gateway_login:$gateway@postgres:5432/speckit"
secret amqp_url "amqp://speckit:$broker@rabbitmq:5672"
secret rabbitmq.conf "default_user = speckit
default_pass = $broker
# The consumers' hold and a phase's deadline together stay below it: 60 minutes.
consumer_timeout = 3600000
"
for key in codex_api_key anthropic_api_key gemini_api_key git_token; do secret "$key" ""; done

if [ ! -e "$folder/settings.env" ]; then
  {
    echo "# Settings of workers and gateway, a line each: docs/configuration.md. Secrets are files beside this one."
    echo "#GITHUB_TOKEN_FILE=/run/secrets/git_token"
  } > "$folder/settings.env"
fi

if [ ! -e "$folder/env" ]; then
  socket=${DOCKER_SOCKET:-/var/run/docker.sock}
  {
    echo "SPECKIT_COMPOSE_SECRETS=$folder/secrets"
    echo "SPECKIT_COMPOSE_SETTINGS=$folder/settings.env"
    echo "# Names this engine for the deployment; another engine has another one."
    echo "SPECKIT_ENGINE=$(cat /proc/sys/kernel/random/uuid)"
    echo "DOCKER_SOCKET=$socket"
    echo "# The group that may use the socket."
    echo "DOCKER_GID=$(stat -c %g "$socket" 2> /dev/null || echo 0)"
  } > "$folder/env"
fi
echo "$folder/env"
