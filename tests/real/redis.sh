#!/usr/bin/env bash
# Runs a command with TEST_REDIS_URL naming a Redis of its own, on a socket, which ends with it.
set -euo pipefail

server=$(command -v redis-server || command -v valkey-server || true)
if [ -z "$server" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "redis-server is not installed: installing it with apt-get" >&2
  { apt-get update && apt-get install --yes --no-install-recommends redis-server; } >/dev/null 2>&1 || true
  server=$(command -v redis-server || true)
fi
if [ -z "$server" ]; then
  echo "These tests need redis-server (or valkey-server): install it and try again." >&2
  exit 1
fi

folder=$(mktemp -d)
"$server" --port 0 --unixsocket "$folder/redis.sock" --dir "$folder" --save '' --appendonly no >"$folder/log" &
pid=$!
trap 'kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; rm -rf "$folder"' EXIT

for _ in $(seq 100); do
  [ -S "$folder/redis.sock" ] && break
  kill -0 "$pid" 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
  sleep 0.1
done
[ -S "$folder/redis.sock" ] || { echo "Redis did not open its socket within 10 s." >&2; exit 1; }

TEST_REDIS_URL="redis+unix://$folder/redis.sock" "$@"
