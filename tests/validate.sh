#!/usr/bin/env bash
# Checks what is deployed without deploying it: templates, shell scripts, the compose file, and the sample events against
# tests/schemas and docs/schemas. Needs no network once it has run here (infra/tools.sh, npm and Go fetch what it takes), and no AWS account.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
tools=$(infra/tools.sh sam rust lint checkov moto) || exit 1
PATH=$tools:$PATH
# Where a template asks for the region's zones; sam insists on a region, and would call home.
export AWS_DEFAULT_REGION=us-east-1 SAM_CLI_TELEMETRY=0

shopt -s extglob
templates=(template.yaml infra/!(compose).yaml)
log=$(mktemp)
built=$(mktemp -d)
trap 'rm -rf "$log" "$log.checkov" "$built"' EXIT
failed=0

# check NAME WHAT COMMAND...: a line if it passes, its output if not. A line of its output that begins with "=" is shown.
check() {
  local name=$1 what=$2 began=$SECONDS
  shift 2
  if "$@" >"$log" 2>&1; then
    printf 'ok      %-14s %s%s (%d s)\n' "$name" "$what" "$(sed -n 's/^=\([^=]\)/: \1/p' "$log")" $((SECONDS - began))
  else
    printf 'FAILED  %-14s %s\n' "$name" "$what"
    sed 's/^/        /' "$log"
    failed=$((failed + 1))
  fi
}

checkov_all() {
  checkov --config-file .checkov.yaml --skip-download --file "${templates[@]}" | tee "$log.checkov"
  local result=${PIPESTATUS[0]}
  awk '/^Passed checks/ { gsub(/[^0-9 ]/, ""); passed += $1; skipped += $3 } END { print "=" passed " passed, " skipped " skipped" }' \
    "$log.checkov"
  return "$result"
}

# The rest needs to look inside: bodies are JSON in a string, Kafka's values JSON in base64.
events() {
  "$tools/../lint/bin/python" - "${templates[@]}" <<'PY'
import base64, json, pathlib, sys
import yaml
from jsonschema import Draft202012Validator, FormatChecker

faults = []
schemas = {}
for path in sorted(pathlib.Path("tests/schemas").glob("*.json")):
    schema = json.loads(path.read_text())
    Draft202012Validator.check_schema(schema)
    schemas[path.stem] = Draft202012Validator(schema, format_checker=FormatChecker())
# Those of messages, by message and version.
for path in sorted(pathlib.Path("docs/schemas").glob("*/v*.json")):
    schema = json.loads(path.read_text())
    Draft202012Validator.check_schema(schema)
    schemas[f"{path.parent.name}-{path.stem}"] = Draft202012Validator(schema, format_checker=FormatChecker())


def wrong(schema, value):
    return [f"{error.json_path}: {error.message[:160]}" for error in schemas[schema].iter_errors(value)]


def check(place, schema, value):
    faults.extend(f"{place} as {schema}: {fault}" for fault in wrong(schema, value))


def check_text(place, names, text, good):
    """A good text has to pass one of the schemas, any other has to fail: a schema that lets everything through checks
    nothing."""
    if not names:
        faults.append(f"{place}: there is no schema to hold it to")
    try:
        value = json.loads(text)
        found = {name: wrong(name, value) for name in names}
    except (ValueError, TypeError) as error:
        found = {name: [f"not JSON: {error}"] for name in names}
    passed = [name for name in names if not found[name]]
    if good and not passed:
        faults.extend(f"{place} as {name}: {fault}" for name in names for fault in found[name])
    elif not good:
        faults.extend(f"{place} as {name}: passes, though its name says that it is wrong" for name in passed)


def body(place, function, text, good):
    check_text(place, [name for name in schemas if name == f"{function}-body"], text, good)


def message(place, record, good):
    """Its topic is the one that it was published to first; without a header it is of the newest version."""
    headers = {name: bytes(byte % 256 for byte in value) for header in record["headers"] for name, value in header.items()}
    topic = headers.get("dlq-origin-topic", b"").decode() or record["topic"]
    known = [name for name in schemas if name.startswith(f"{topic}-v")]
    newest = max(known, key=lambda name: int(name.rpartition("-v")[2]), default=None)
    version = headers.get("schema-version", b"").decode()
    names = [name for name in known if name == (f"{topic}-v{version}" if version else newest)]
    check_text(f"{place}, on {topic}", names, base64.b64decode(record.get("value") or ""), good)


def records(place, event, good):
    for record in (record for batch in event.get("records", {}).values() for record in batch):
        where = f"{place} at offset {record.get('offset')}"
        value = base64.b64decode(record.get("value") or "")
        if b'"KafkaBatchInfo"' in value:
            # What Lambda gave up on is wrapped: the payload is an event with that one record.
            payload = json.loads(value)["payload"]
            payload = payload if isinstance(payload, dict) else json.loads(payload)
            [record] = (record for batch in payload["records"].values() for record in batch)
        message(where, record, good)


count = 0
for path in sorted(pathlib.Path("shared/contracts/samples").glob("*/v*/*.json")):
    count += 1
    check(str(path), f"{path.parent.parent.name}-{path.parent.name}", json.loads(path.read_text()))
for path in sorted(pathlib.Path("events").glob("*/*.json")):
    count += 1
    place, good = str(path), not path.name.startswith(("malformed", "invalid"))
    text = path.read_text()
    if path.name.endswith(".body.json"):
        body(place, path.parent.name, text, good)
        continue
    event = json.loads(text)
    if "eventSource" in event:
        check(place, "kafka-event", event)
        records(place, event, good)
    elif "detail-type" in event:
        check(place, "scheduled-event", event)
    elif "DeploymentId" in event:
        check(place, "code-deploy-hook", event)
    else:
        check(place, "http-event", event)
        if event["requestContext"]["http"]["method"] == "POST":
            body(f"{place}, body", path.parent.name, event.get("body"), good)


class Loader(yaml.SafeLoader):
    pass


Loader.add_multi_constructor("!", lambda loader, suffix, node: None)
for path in sys.argv[1:]:
    for name, resource in yaml.load(pathlib.Path(path).read_text(), Loader)["Resources"].items():
        for tool in ("checkov", "cfn-lint"):
            config = (resource.get("Metadata") or {}).get(tool, {})
            if tool == "cfn-lint" and config:
                faults.append(f"{path}, {name}: fix it, or ignore it in .cfnlintrc.yaml with a reason beside it")
            for skip in config.get("skip", []) if tool == "checkov" else []:
                if len(skip.get("comment") or "") < 20:
                    faults.append(f"{path}, {name}: {skip['id']} is skipped without a reason")

print("\n".join(faults) or f"={count} files, {len(schemas)} schemas")
sys.exit(bool(faults))
PY
}

# For this machine: another one's programs need another target of rustc. Shares the cache of `make build`, so that cargo
# has nothing left to do.
sam_build() {
  local architecture=x86_64 wanted made
  case $(uname -m) in arm64 | aarch64) architecture=arm64 ;; esac
  sam build --build-dir "$built" --parameter-overrides "Architecture=$architecture" || return 1
  wanted=$(find functions -mindepth 1 -maxdepth 1 -type d | wc -l)
  made=$(find "$built" -mindepth 2 -maxdepth 2 -name bootstrap -perm -u+x | wc -l)
  echo "=$made of $wanted functions have a bootstrap"
  [ "$made" = "$wanted" ]
}

# With SAM's own translator, so in its environment: tests/validate/<name>.py, with these arguments.
by_sam() {
  local name=$1
  shift
  PYTHONDONTWRITEBYTECODE=1 "$tools/../sam/bin/python" "tests/validate/$name.py" "$@"
}

# A Go program without a package for Python that needs no other host: https://github.com/rhysd/actionlint
workflows() {
  if ! command -v actionlint >/dev/null &&
    ! GOBIN=$tools go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.7; then
    echo "=not checked, as that takes actionlint, or Go to install it"
    return
  fi
  actionlint -color=false
}

# In target/, as the packages are ten thousand files.
cdk() {
  if ! command -v npm >/dev/null; then
    echo "=not checked, as that takes Node.js"
    return
  fi
  mkdir -p target/cdk && cp infra/cdk/package.json infra/cdk/app.js target/cdk/ &&
    npm install --prefix target/cdk --no-package-lock --no-audit --no-fund --silent &&
    "$tools/../sam/bin/python" infra/cdk/translate.py template.yaml --unpackaged >target/cdk/translated.json &&
    (cd target/cdk && TEMPLATE=translated.json CDK_OUTDIR=out STAGE=staging node app.js) &&
    by_sam cdk target/cdk/translated.json target/cdk/out/joiner-staging.template.json
}

# The functions' own tables are not touched: moto's are in its memory.
restore() {
  PYTHONDONTWRITEBYTECODE=1 "$tools/../moto/bin/python" tests/validate/restore.py
}

# Whether cargo-lambda, as a person and as SAM call it, compiles C for the architecture that it builds for. In the place of
# cargo-lambda itself is what a ./configure does that knows CC alone.
compilers() {
  local folder=$built/compilers arguments machine
  mkdir -p "$folder/rust/bin"
  cp -R "$tools" "$folder/bin"
  # shellcheck disable=SC2016
  printf '#!/bin/sh\nexec "$CC" -c "%s/empty.c" -o "%s/empty.o"\n' "$folder" "$folder" >"$folder/rust/bin/cargo-lambda"
  chmod +x "$folder/rust/bin/cargo-lambda"
  : >"$folder/empty.c"
  while read -r machine arguments; do
    # shellcheck disable=SC2086
    "$folder/bin/cargo-lambda" lambda build $arguments || return 1
    # An object's machine is two bytes: 62 for x86-64, 183 for AArch64.
    if [ "$(od -An -tu1 -j18 -N1 "$folder/empty.o" | tr -d ' ')" != "$machine" ]; then
      echo "cargo lambda build $arguments: C is compiled for another architecture"
      return 1
    fi
  done <<'END'
183 --bin x --release --arm64
183 --target aarch64-unknown-linux-gnu
62 --x86-64 --bin x
62 --target x86_64-unknown-linux-gnu.2.34
END
  echo "=arm64 and x86_64"
}

# Lambda's Linux, AL2023, has glibc 2.34: a program that wants a newer one doesn't start there.
glibc() {
  local newest
  newest=$(grep -aoh 'GLIBC_2\.[0-9]*' "$built"/*/bootstrap | sort -uV | tail -n 1)
  echo "=$newest, of at most GLIBC_2.34"
  [ "$(printf '%s\n' "$newest" GLIBC_2.34 | sort -V | tail -n 1)" = GLIBC_2.34 ]
}

compose() {
  check-jsonschema --builtin-schema vendor.compose-spec infra/compose.yaml
}

scripts=(infra/*.sh tests/*.sh)

# Only the first has SAM's transform.
check "sam validate" "template.yaml" sam validate --lint --template template.yaml
check "cfn-lint" "${#templates[@]} templates" cfn-lint
check "checkov" "${#templates[@]} templates" checkov_all
check "events" "against tests/schemas and docs/schemas" events
check "versions" "template.yaml" by_sam versions template.yaml
check "retained" "${#templates[@]} templates" by_sam retained "${templates[@]}"
check "alarms" "docs/operations.md" by_sam alarms template.yaml infra/edge.yaml
check "limits" "docs/operations.md" by_sam limits template.yaml
check "boundary" "infra/delivery.yaml" by_sam boundary template.yaml
check "actionlint" ".github/workflows" workflows
check "restore" "infra/restore.py" restore
check "cdk" "infra/cdk" cdk
check "compose" "infra/compose.yaml" compose
check "compilers" "infra/cargo-lambda.sh" compilers
check "sam build" "template.yaml" sam_build
check "glibc" "the bootstraps" glibc
check "shellcheck" "${#scripts[@]} scripts" shellcheck "${scripts[@]}"

if [ "$failed" -gt 0 ]; then
  printf '%d of these failed.\n' "$failed"
  exit 1
fi
