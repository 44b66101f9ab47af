#!/usr/bin/env bash
# Sends what docs/openapi.yaml allows, and what it doesn't, to a Joiner of its own, and holds every answer to it:
# schemathesis with all its checks, always with the same seed. FUZZ_EXAMPLES is how many of each operation (20).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools=$(infra/tools.sh schemathesis)
# The one that make test builds.
cargo test --quiet --workspace --no-default-features --test cli --no-run

folder=$(mktemp -d)
export API_KEY=for-everybody ADMIN_KEY=for-admins LOG_LEVEL=error RETRY_BASE_SECONDS=0.01
target/debug/joiner dev --port 0 --log-format json >"$folder/joiner" 2>&1 &
joiner=$!
# What went wrong stands in its log.
trap 'kill "$joiner" 2>/dev/null; wait "$joiner" || true; rm -rf "$folder"' EXIT

url=
for _ in $(seq 300); do
  url=$(sed -n 's/^ *gateway *\(http[^ ]*\).*/\1/p' "$folder/joiner")
  if [ -n "$url" ]; then break; fi
  kill -0 "$joiner" 2>/dev/null || { cat "$folder/joiner"; exit 1; }
  sleep 0.1
done
[ -n "$url" ] || { echo "joiner dev did not start:"; cat "$folder/joiner"; exit 1; }

# People to read, and dead letters of those whom Okta doesn't know.
send() {
  curl --silent --show-error --fail --output "$folder/answer" --header "X-API-Key: $API_KEY" \
    --header 'Content-Type: application/json' --data "$1" "$url/v1/hr/webhook"
}
known=$(target/debug/joiner okta people --json | awk -F'"' '$2 == "email" && ++found <= 3 { print $4 }')
number=0
for email in $known unknown-1@acme.example unknown-2@acme.example; do
  number=$((number + 1))
  send "{\"employee_id\":\"E$number\",\"first_name\":\"A\",\"last_name\":\"B\",\"email\":\"$email\"}"
done

"$tools/schemathesis" --config-file tests/fuzz-api/schemathesis.toml run docs/openapi.yaml --url "$url" \
  --max-examples "${FUZZ_EXAMPLES:-20}"

if grep -q '"level":"ERROR"' "$folder/joiner"; then
  echo "Joiner logged errors meanwhile:"
  grep '"level":"ERROR"' "$folder/joiner" | head -20
  exit 1
fi
