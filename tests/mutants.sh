#!/usr/bin/env bash
# cargo-mutants on what must not be wrong: the onboarding feature, the batch engine, the life of a dead letter. The unit
# tests alone have to notice. Takes a while; docs/testing.md has what was measured. Needs cargo-mutants:
#   cargo install --locked cargo-mutants
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
cargo mutants --no-shuffle --jobs "${JOBS:-1}" --output target \
  --package onboarding --package runtime --package dlq \
  --file 'shared/onboarding/src/*.rs' --file 'shared/onboarding/src/accept/*.rs' \
  --file shared/runtime/src/batch.rs --file shared/dlq/src/life.rs \
  "$@" -- --lib
