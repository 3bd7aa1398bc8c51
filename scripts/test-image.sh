#!/usr/bin/env bash
# The image, built and tested. On a base of this machine's making where the published one cannot be pulled. Exit 0 with a
# word of what is missing where no engine can be had; REQUIRE=1 makes that a failure.
set -euo pipefail
here=$(CDPATH= cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd "$here"
image=${IMAGE:-localhost/widemerge:dev}
stand_in=localhost/widemerge-base:stand-in
say() { echo "image: $*" >&2; }

engine=$(scripts/image.sh engine) || {
  [ "${REQUIRE:-0}" = 1 ] && exit 1
  echo "SKIPPED: the tests of the image (test/image/): what is missing stands above."
  exit 0
}
base=${WIDEMERGE_BASE:-$(sed -n 's/^ARG BASE=//p' Dockerfile)}
if ! "$engine" image inspect "$base" >/dev/null 2>&1 && ! timeout 300 "$engine" pull --quiet "$base" >/dev/null 2>&1; then
  say "$base cannot be pulled here: taking one made from Debian's packages and this machine's Node"
  base=$stand_in
  "$engine" image inspect "$base" >/dev/null 2>&1 || scripts/image.sh stand-in "$base"
fi
WIDEMERGE_BASE=$base scripts/image.sh build "$image"
say "in MB, unpacked:"
scripts/image.sh sizes "$image" >&2
IMAGE=$image node --no-warnings --test --test-reporter=spec test/image/*.test.ts
