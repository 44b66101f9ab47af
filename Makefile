.DEFAULT_GOAL := help
# Without TLS to the brokers, which costs minutes of build and is for what is deployed. With
# --workspace, and so the features of all packages together, the dependencies are built once for all targets but the bench.
LAPTOP := --no-default-features
FUNCTIONS := $(notdir $(wildcard functions/*))
# SAM and cargo-lambda, which infra/tools.sh installs where they are missing.
DEPLOY_TOOLS = PATH="$$(infra/tools.sh sam rust):$$PATH" SAM_CLI_TELEMETRY=0

.PHONY: help dev up test test-real test-lambda chaos fuzz fuzz-api mutants scaffold openapi bench check validate build deploy

help: ## Show these lines
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

dev: ## Run everything in one process; ARGS="--demo 20" hires twenty people
	cargo build --workspace $(LAPTOP) --bin joiner
	target/debug/joiner dev $(ARGS)

up: ## The same against LocalStack, Redpanda and Valkey in containers
	infra/up.sh $(ARGS)

test: ## Build and pass every test; needs cargo and nothing else
	cargo test --workspace $(LAPTOP)

test-real: ## The same against Apache Kafka, DynamoDB Local, Redis and Secrets Manager (moto)
	tests/real/install.sh
	cargo build --quiet --workspace $(LAPTOP) --bin with-real-parts
	target/debug/with-real-parts -- cargo test --workspace $(LAPTOP) --lib --test scenarios -- --include-ignored

test-lambda: build ## The built functions under an emulator of Lambda, with the same real parts
	tests/real/install.sh
	cargo build --quiet --workspace $(LAPTOP) --bin with-real-parts
	$(DEPLOY_TOOLS) target/debug/with-real-parts --only kafka,dynamodb,secrets -- \
	  cargo test --workspace $(LAPTOP) --test lambda -- --ignored --test-threads 2

bench: build ## Speed, memory and cost, beside the floor and beside Python; ARGS="webhook" for a part
	tests/real/install.sh
	$(DEPLOY_TOOLS) cargo lambda build --release --package empty
	cargo run --quiet --release --package bench $(LAPTOP) -- $(ARGS)

fuzz: ## The tests that make up their input, with 20,000 cases each; CASES=1000000 for more
	PROPTEST_CASES=$(or $(CASES),20000) cargo test --workspace $(LAPTOP) --lib --test fuzz

fuzz-api: ## Hold a running Joiner to docs/openapi.yaml, with requests that it allows and that it doesn't
	tests/fuzz-api.sh

openapi: ## Write docs/openapi.yaml and docs/schemas anew from the code's types
	UPDATE_OPENAPI=1 cargo test --quiet --workspace $(LAPTOP) --test openapi

mutants: ## Make the rules' code wrong, a little at a time, and see that a test fails
	tests/mutants.sh

scaffold: ## Add a function to a copy of all this, and pass every test there
	tests/scaffold.sh

chaos: ## Faults of every kind, then a check that nothing was lost; ARGS="--seed 7 --events 3000 --employees 300"
	tests/real/install.sh
	cargo build --quiet --workspace $(LAPTOP) --bin chaos
	target/debug/chaos $(ARGS)

check: ## Format, lints, docs, dependencies, house rules, and that every program builds
	cargo fmt --all -- --check
	cargo clippy --workspace $(LAPTOP) --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace $(LAPTOP) --no-deps --document-private-items --quiet
	@if command -v cargo-deny >/dev/null; then cargo deny --all-features check bans licenses sources; \
	else echo "cargo-deny is not installed: licences and duplicates were not checked"; fi
	cargo test --workspace $(LAPTOP) --test tidy
	@# Neither clippy nor a test makes the functions' programs, and what is too deep for the compiler shows only there.
	cargo build --quiet --workspace $(LAPTOP) --bins

validate: build ## Check the templates, the scripts, the sample events and `sam build` without an AWS account
	tests/validate.sh

build: ## Each function's bootstrap, for this machine, in target/lambda
	$(DEPLOY_TOOLS) cargo lambda build --release $(FUNCTIONS:%=--bin %)

deploy: ## Build and deploy a stage: make deploy ENV=dev
	@test -n "$(ENV)" || { echo "Say which stage: make deploy ENV=dev (or staging, prod)."; exit 1; }
	$(DEPLOY_TOOLS) sam build
	$(DEPLOY_TOOLS) sam deploy --config-env $(ENV)
