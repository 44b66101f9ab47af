#!/usr/bin/env bash
# cargo-lambda, which infra/tools.sh puts on the PATH so. cargo-lambda has zig compile C for Lambda's Linux, and says so by
# CC_<target>. librdkafka's ./configure reads only CC, and would take this machine's compiler: one for another architecture,
# or with a newer glibc than Lambda's, and then the function can't be linked.
set -euo pipefail

bin=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# As cargo-lambda is told it, by a person or by SAM; else this machine's.
architecture=$(uname -m)
for argument in "$@"; do
  case $argument in
    --arm64 | --target=aarch64-* | aarch64-*) architecture=aarch64 ;;
    --x86-64 | --target=x86_64-* | x86_64-*) architecture=x86_64 ;;
  esac
done
if [ "$architecture" = arm64 ]; then architecture=aarch64; fi

case " $* " in
  *" build "*)
    export CC=$bin/$architecture-cc CXX=$bin/$architecture-c++ AR=$bin/zig-ar RANLIB=$bin/zig-ranlib
    # What build scripts compile for themselves runs here.
    export HOST_CC=cc HOST_CXX=c++
    # librdkafka's list of exported symbols names one that only its tests have, which zig's linker refuses.
    export LDFLAGS="${LDFLAGS:-} -Wl,--undefined-version"
    ;;
esac

exec "$bin/../rust/bin/cargo-lambda" "$@"
