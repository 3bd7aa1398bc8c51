#!/bin/sh
# Runs the tests on a real Kubernetes cluster. If this machine cannot run one, it says what is missing and exits with 0;
# with REQUIRE=1 that is a failure.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"
status=0
scripts/cluster.sh run node --no-warnings --test --test-concurrency=1 --test-timeout=900000 --test-reporter=spec test/cluster/*.test.ts || status=$?
if [ "$status" -eq 3 ] && [ "${REQUIRE:-0}" != 1 ]; then
  echo "SKIPPED: the tests on a real Kubernetes cluster (test/cluster/). The lines above name what is missing."
  exit 0
fi
exit "$status"
