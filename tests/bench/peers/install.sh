#!/usr/bin/env bash
# Installs what the peers import into a cache folder, and prints the path of its Python. Run again, it only prints it.
# PYTHON names another interpreter than python3.
set -euo pipefail
cd "$(dirname "$0")"

cache=${JOINER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/joiner}/peers
python=${PYTHON:-python3}

say() { echo "peers: $*" >&2; }
fail() {
  say "$*"
  exit 1
}

# The interpreter is part of it: another one needs other wheels.
fingerprint() {
  { cat install.sh requirements.txt
    "$python" -c 'import sys; print(sys.version, sys.executable)'; } | cksum
}
is_installed() {
  [ "$(cat "$cache/installed" 2>/dev/null)" = "$(fingerprint)" ] && [ -x "$cache/venv/bin/python" ]
}

check_python() {
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    fail "$python is missing or older than 3.11; install Python 3.11 or newer, or name one in PYTHON."
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python has no venv; install it (Debian's python3-venv) and try again."
}

install() {
  say "installing requirements.txt with pip"
  rm -rf "$cache/venv"
  { "$python" -m venv "$cache/venv" &&
    "$cache/venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
      --requirement requirements.txt; } >"$cache/pip.log" 2>&1 ||
    fail "pip could not install requirements.txt ($cache/pip.log says why); check the network and try again."
}

mkdir -p "$cache" 2>/dev/null || fail "can't write to $cache; name another folder in JOINER_CACHE."
if command -v flock >/dev/null; then
  exec 9>"$cache/lock"
  flock 9
fi
check_python
if ! is_installed; then
  rm -f "$cache/installed"
  install
  fingerprint >"$cache/installed"
fi
echo "$cache/venv/bin/python"
