#!/usr/bin/env bash
# cargo-mutants on what must not be wrong: the onboarding feature, the batch engine, the life of a dead letter. The unit
# tests alone have to notice. Half an hour or more on two cores; docs/testing.md has what was measured. Fewer:
#   tests/mutants.sh --iterate          what was not caught last time
#   tests/mutants.sh --re 'retry.rs'    what is called so by --list
# Needs cargo-mutants: cargo install --locked cargo-mutants
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# It works on a copy of the tree and would build every dependency anew there. A target of the copies' own is kept from
# one run to the next: not ours, where what was built of a mutant would pass for up to date. One job, for the same reason.
export CARGO_TARGET_DIR="$PWD/target/mutants"
# What a visitor expects is shown with what it refuses, and some take whatever JSON has.
cargo mutants --jobs 1 --output target \
  --package onboarding --package lambda --package dlq \
  --file 'shared/onboarding/src/*.rs' --file 'shared/onboarding/src/accept/*.rs' \
  --file shared/lambda/src/batch.rs --file shared/dlq/src/life.rs \
  --exclude-re 'Visitor>::expecting' \
  --cargo-arg=--lib "$@"
