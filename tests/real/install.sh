#!/usr/bin/env bash
# Installs the real parts into a cache folder: Kafka's broker and DynamoDB Local by Maven, moto by pip; java, maven,
# redis-server, openssl and python's venv by apt-get where one is missing and this is root. Run again, it does nothing.
set -euo pipefail
cd "$(dirname "$0")"

cache=${JOINER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/joiner}/real
moto=(moto[secretsmanager]==5.2.5 flask==3.1.3 flask-cors==6.0.5)
maven_copy=org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies

say() { echo "real parts: $*" >&2; }
fail() {
  say "$*"
  exit 1
}
has() { command -v "$1" >/dev/null; }
has_redis() { has redis-server || has valkey-server; }
has_venv() { python3 -c 'import ensurepip, venv' 2>/dev/null; }

# Where redis-server and java are is part of it: another Java needs another class archive.
fingerprint() {
  { cat install.sh ./*.pom.xml kafka.properties java/*.java
    readlink -f "$(command -v java)" "$(command -v redis-server || command -v valkey-server)"; } 2>/dev/null | cksum
}
is_installed() {
  [ "$(cat "$cache/installed" 2>/dev/null)" = "$(fingerprint)" ] && [ -x "$cache/moto/bin/python" ] &&
    has javac && has_redis && has openssl
}

packages() {
  has javac && has java || echo default-jdk-headless
  has mvn || echo maven
  has_redis || echo redis-server
  has openssl || echo openssl
  has_venv || echo python3-venv
}

install_packages() {
  local missing=("$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ] || ! has apt-get; then
    fail "these are missing: ${missing[*]} (Debian's names); install them and try again."
  fi
  say "installing ${missing[*]} with apt-get"
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}"; } \
    >"$cache/apt.log" 2>&1 ||
    fail "apt-get could not install ${missing[*]} ($cache/apt.log says why); install them and try again."
}

check_versions() {
  local java
  java=$(java -XshowSettings:properties -version 2>&1 | sed -n 's/.*java.specification.version = //p')
  [ "${java%%.*}" -ge 17 ] || fail "java is version $java, Kafka needs 17 or newer; install it and put it first on PATH."
  if [ "$(uname)" = Linux ]; then
    setpriv --pdeathsig KILL true 2>/dev/null ||
      fail "setpriv of util-linux 2.33 or newer is missing; install util-linux and try again."
  fi
}

# Into a new folder first, so that a failed download leaves no half of one behind.
install_jars() {
  local name=$1 source=$2 jar=$3
  say "downloading $name"
  rm -rf "$cache/$name.new" "$cache/classes"
  mvn --batch-mode --quiet --update-snapshots --file "$name.pom.xml" "$maven_copy" \
    -DincludeScope=runtime -DoutputDirectory="$cache/$name.new" >"$cache/$name.log" 2>&1 ||
    fail "Maven could not download $name ($cache/$name.log says why); check the network and try again."
  javac --release 17 -cp "$cache/$name.new/*" -d "$cache/classes" "java/$source" >>"$cache/$name.log" 2>&1 &&
    jar --create --file "$cache/$name.new/$jar" -C "$cache/classes" . ||
    fail "javac could not compile java/$source ($cache/$name.log says why)."
  rm -rf "$cache/classes" "${cache:?}/$name"
  mv "$cache/$name.new" "$cache/$name"
}

install_moto() {
  say "installing ${moto[*]} with pip"
  rm -rf "$cache/moto"
  python3 -m venv "$cache/moto" >"$cache/moto.log" 2>&1 &&
    "$cache/moto/bin/python" -m pip install --quiet --disable-pip-version-check "${moto[@]}" >>"$cache/moto.log" 2>&1 ||
    fail "pip could not install ${moto[*]} ($cache/moto.log says why); check the network and try again."
}

free_ports() {
  python3 -c 'import socket; s = [socket.create_server(("127.0.0.1", 0)) for _ in "ab"]
print(*(x.getsockname()[1] for x in s))'
}

# The classes that a start loads, parsed beforehand: halves the time. The broker starts without them too.
archive_classes() {
  local folder kafka_port controller_port broker
  local java=(java -Xmx512m -XX:+UseSerialGC -cp "$cache/kafka/*")
  say "preparing a fast start of Kafka"
  folder=$(mktemp -d)
  read -r kafka_port controller_port < <(free_ports)
  { cat kafka.properties
    echo "log.dirs=$folder/data"
    echo "listeners=PLAINTEXT://127.0.0.1:$kafka_port,CONTROLLER://127.0.0.1:$controller_port"
    echo "controller.quorum.voters=1@127.0.0.1:$controller_port"; } >"$folder/server.properties"
  rm -f "$cache/kafka.jsa"
  "${java[@]}" kafka.tools.StorageTool format --cluster-id joiner --config "$folder/server.properties" \
    >"$folder/log" 2>&1
  "${java[@]}" -XX:ArchiveClassesAtExit="$cache/kafka.jsa" kafka.Kafka "$folder/server.properties" \
    >>"$folder/log" 2>&1 9>&- &
  broker=$!
  for _ in $(seq 300); do
    grep -q 'Kafka Server started' "$folder/log" && break
    kill -0 "$broker" 2>/dev/null || break
    sleep 0.2
  done
  kill "$broker" 2>/dev/null || true
  wait "$broker" || true
  [ -s "$cache/kafka.jsa" ] || say "that failed, so it starts a second slower: $(tail -n 1 "$folder/log")"
  rm -rf "$folder"
}

mkdir -p "$cache" || fail "can't write to $cache; name another folder in JOINER_CACHE."
if has flock; then
  exec 9>"$cache/lock"
  flock 9
fi
is_installed && exit 0

rm -f "$cache/installed"
mapfile -t missing < <(packages)
install_packages "${missing[@]}"
check_versions
install_jars kafka MskIamValidator.java msk-iam-validator.jar
install_jars dynamodb LoopbackDynamoDb.java loopback-dynamodb.jar
install_moto
archive_classes
fingerprint >"$cache/installed"
say "installed in $cache"
