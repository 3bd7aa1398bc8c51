#!/bin/sh
# The tests on a real Kubernetes. Exit 0 with a word of what is missing where no cluster can be had; REQUIRE=1 makes
# that a failure.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"
status=0
scripts/cluster.sh run node --no-warnings --test --test-concurrency=1 --test-reporter=spec test/cluster/*.test.ts || status=$?
if [ "$status" -eq 3 ] && [ "${REQUIRE:-0}" != 1 ]; then
  echo "SKIPPED: the tests on a real Kubernetes (test/cluster/): what is missing stands above."
  exit 0
fi
exit "$status"
