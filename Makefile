.DEFAULT_GOAL := help
# Without TLS to the brokers, which costs minutes of build and is for what is deployed.
LAPTOP := --no-default-features

.PHONY: help dev test test-real check

help: ## Show these lines
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

dev: ## Run everything in one process; ARGS="--demo 20" hires twenty people
	cargo run --package joiner -- dev $(ARGS)

test: ## Build and pass every test; needs cargo and nothing else
	cargo test --workspace $(LAPTOP)

test-real: ## The same rules against a real Redis, which the script starts and stops
	tests/real/redis.sh cargo test --workspace --lib
	tests/real/redis.sh cargo test --workspace --test scenarios -- --ignored

check: ## Format, lints, docs, dependencies, house rules
	cargo fmt --all -- --check
	cargo clippy --workspace $(LAPTOP) --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace $(LAPTOP) --no-deps --document-private-items --quiet
	@if command -v cargo-deny >/dev/null; then cargo deny --all-features check bans licenses sources; \
	else echo "cargo-deny is not installed: licences and duplicates were not checked"; fi
	cargo test --workspace $(LAPTOP) --test tidy
