#!/usr/bin/env bash
# Runs Joiner's functions against LocalStack, Redpanda and Valkey in containers, instead of what `joiner dev` embeds.
# Arguments go to `joiner dev`: infra/up.sh --demo 20. The containers stay; the last line says how to remove them.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

stop() {
  printf 'infra/up.sh: %s\n' "$1" >&2
  exit 1
}
# What is done, and how it ended.
say() { printf '  %-9s %s\n' "$1" "$2"; }

command -v docker >/dev/null ||
  stop "there is no docker on this machine; \`make dev\` runs the same functions without containers."
docker compose version >/dev/null 2>&1 ||
  stop "docker has no compose plugin; install it, or use \`make dev\`, which needs no containers."
docker info >/dev/null 2>&1 ||
  stop "docker doesn't answer; start it, or use \`make dev\`, which needs no containers."

compose() { docker compose --file infra/compose.yaml "$@"; }

echo "Starting containers; the first time they are downloaded."
compose up --detach --wait --wait-timeout 120 ||
  stop "a container did not get healthy in two minutes; see: docker compose --file infra/compose.yaml logs"
say kafka "Redpanda at 127.0.0.1:19092"
say tables "LocalStack at http://127.0.0.1:4566"
say cache "Valkey at 127.0.0.1:16379"

# Those of shared/contracts/src/topic.rs, with as many partitions as the template makes in the cloud.
topic() {
  local name=$1 partitions=$2
  if compose exec -T redpanda rpk topic describe "$name" >/dev/null 2>&1; then
    say topic "$name was there"
  else
    compose exec -T redpanda rpk topic create "$name" --partitions "$partitions" --replicas 1 >/dev/null
    say topic "$name made, with $partitions partitions"
  fi
}
topic user.enrichment.requested 6
topic user.enrichment.failed 3
topic joiner.events 6

secret() {
  local name=$1
  if compose exec -T localstack awslocal secretsmanager describe-secret --secret-id "$name" >/dev/null 2>&1; then
    say secret "$name was there"
  else
    compose exec -T localstack awslocal secretsmanager create-secret --name "$name" --secret-string "$2" >/dev/null
    say secret "$name made"
  fi
}
secret joiner/local/api-keys local-api-key
secret joiner/local/cursor-keys "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"
say tables "made by \`joiner dev\`, from template.yaml"

# LocalStack takes any credentials, and insists on some.
export AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
export AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:4566 AWS_ENDPOINT_URL_SECRETS_MANAGER=http://127.0.0.1:4566
export KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:19092 CACHE_URL=redis://127.0.0.1:16379
export API_KEY_SECRET_ID=joiner/local/api-keys CURSOR_KEY_SECRET_ID=joiner/local/cursor-keys

echo "Callers send X-API-Key: local-api-key. Ctrl-C stops Joiner, and this the containers:"
echo "  docker compose --file infra/compose.yaml down"
cargo build --quiet --workspace --no-default-features --bin joiner
exec target/debug/joiner dev "$@"
