#!/usr/bin/env bash
# Installs the tools that deploy, check and test Joiner, at pinned versions, and prints the folder of their executables:
#   PATH="$(infra/tools.sh):$PATH" sam build
# With arguments only those sets of infra/tools/: infra/tools.sh sam lint. A second run takes no time. Needs python3 with
# pip and venv, and nothing else.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${JOINER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/joiner}/tools
bin=$home/bin
mkdir -p "$bin"

say() { printf '%s\n' "$*" >&2; }

if ! command -v python3 >/dev/null; then
  say "infra/tools.sh needs python3 with pip and venv: install them and run it again."
  exit 1
fi

# Two runs at once would install into one folder. macOS has no flock, and there a person runs one at a time.
if command -v flock >/dev/null; then
  exec 9>"$home/.lock"
  flock 9
fi

sets=("$@")
if [ ${#sets[@]} -eq 0 ]; then
  for file in "$here"/tools/*.txt; do sets+=("$(basename "$file" .txt)"); done
fi

# An environment belongs to the Python that made it.
python="$(command -v python3) $(python3 --version)"
# One environment a set: sam, checkov and cfn-lint pin different versions of the same libraries.
for set in "${sets[@]}"; do
  wanted=$here/tools/$set.txt
  if [ ! -f "$wanted" ]; then
    say "infra/tools.sh: there is no set '$set' in infra/tools/."
    exit 1
  fi
  stamp="$python $(cat "$wanted")"
  venv=$home/$set
  if [ "$(cat "$venv/.stamp" 2>/dev/null || true)" = "$stamp" ]; then continue; fi
  say "installing $(grep -v '^#' "$wanted" | paste -sd ' ' -) ..."
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$wanted" >&2
  printf '%s\n' "$stamp" >"$venv/.stamp"
done

# Links, so that one folder on the PATH is enough and nobody's python3 is replaced.
link() {
  local set=$1 name
  shift
  for name in "$@"; do
    if [ -e "$home/$set/bin/$name" ]; then ln -sf "$home/$set/bin/$name" "$bin/$name"; fi
  done
}
link sam sam
link lint cfn-lint check-jsonschema shellcheck
link checkov checkov
# cargo-lambda asks for zig, which the package has as a module only.
if [ -d "$home/rust" ]; then
  command_of() {
    printf '#!/bin/sh\nexec "%s" -m ziglang %s "$@"\n' "$home/rust/bin/python" "$2" >"$bin/$1.new"
    chmod +x "$bin/$1.new"
    mv "$bin/$1.new" "$bin/$1"
  }
  command_of zig ""
  command_of zig-ar ar
  command_of zig-ranlib ranlib
  for architecture in x86_64 aarch64; do
    command_of $architecture-cc "cc -target $architecture-linux-gnu"
    command_of $architecture-c++ "c++ -target $architecture-linux-gnu"
  done
  # It was a link to the package's own once, which must not be written to.
  cp "$here/cargo-lambda.sh" "$bin/cargo-lambda.new"
  mv "$bin/cargo-lambda.new" "$bin/cargo-lambda"
fi
link moto moto_server
link schemathesis schemathesis

printf '%s\n' "$bin"
