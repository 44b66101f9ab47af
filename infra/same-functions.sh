#!/usr/bin/env bash
# Whether the functions that SAM packages are the ones that were tested, byte by byte:
#   infra/same-functions.sh target/lambda .aws-sam/build
set -euo pipefail

tested=$1
packaged=$2
count=0
for folder in functions/*/; do
  name=$(basename "$folder")
  # hr-webhook is HrWebhook in the template.
  resource=$(printf '%s' "$name" | awk -F- '{ for (i = 1; i <= NF; i++) printf "%s%s", toupper(substr($i, 1, 1)), substr($i, 2) }')
  if ! cmp "$tested/$name/bootstrap" "$packaged/$resource/bootstrap"; then
    printf 'infra/same-functions.sh: %s would be deployed as it was not tested.\n' "$name" >&2
    exit 1
  fi
  count=$((count + 1))
done
printf '%d functions are the ones that were tested\n' "$count"
