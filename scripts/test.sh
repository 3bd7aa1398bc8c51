#!/bin/sh
# Runs the tests that need nothing but Node. If a test needs more, and this machine lacks it, the test is skipped by name.
#   scripts/test.sh             all of them
#   scripts/test.sh FILE...     these files
# TEST_CONCURRENCY: files at a time. Many tests wait for timers and processes, so three files keep two cores busy.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"
node=$(scripts/find-node.sh) || { echo "test: Node 22.19 or newer is missing: make setup" >&2; exit 2; }
# Tests start tools of node_modules/.bin, which take the first Node in PATH.
PATH="$(dirname "$node"):$PATH"
export PATH

# Tests start the program hundreds of times. Keeping compiled modules halves the time of a start.
export NODE_COMPILE_CACHE="$here/.toolchain/compile-cache"
mkdir -p "$NODE_COMPILE_CACHE"

# This builds the Cloud Storage server, so that no test waits for the compiler. Tests that need the server say why it is missing.
scripts/gcs.sh build >/dev/null 2>&1 || true

if [ $# = 0 ]; then
  # shellcheck disable=SC2046 # Each word is a file.
  set -- $(find test -name '*.test.ts' -not -path 'test/interop/*' -not -path 'test/cluster/*' -not -path 'test/image/*' -not -path 'test/package/*')
fi
# A test that hangs fails after ten minutes (TEST_TIMEOUT: milliseconds).
exec "$node" --no-warnings --test --test-reporter=spec --test-concurrency="${TEST_CONCURRENCY:-3}" --test-timeout="${TEST_TIMEOUT:-600000}" "$@"
