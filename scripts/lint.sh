#!/bin/sh
# Checks formatting, style, types, the allowed imports, unused code, and shell scripts. It runs every check, then fails if one
# of them failed.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"
failed=

# check NAME COMMAND...: runs a check.
check() {
  name=$1
  shift
  if "$@"; then echo "ok      $name"; else failed="$failed $name" && echo "FAILED  $name" >&2; fi
}

shell_scripts() { git ls-files --cached --others --exclude-standard '*.sh' .ci/run bin/widemerge test/cloud/doubles; }

check biome node_modules/.bin/biome check --error-on-warnings .
check tsc node_modules/.bin/tsc -p .
check imports node_modules/.bin/depcruise --config .dependency-cruiser.json src
check imports-at-start node_modules/.bin/depcruise --config .dependency-cruiser.startup.json src
check knip node_modules/.bin/knip
if command -v shellcheck >/dev/null 2>&1; then
  # shellcheck disable=SC2046 # Each word is a file.
  check shellcheck shellcheck --severity=warning $(shell_scripts)
else
  echo "SKIPPED shellcheck: it is not installed (Debian: apt-get install shellcheck)"
fi
[ -z "$failed" ] || { echo "lint: failed:$failed" >&2; exit 1; }
