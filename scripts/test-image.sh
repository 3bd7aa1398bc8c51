#!/usr/bin/env bash
# Builds the image and tests it. If the published base image cannot be pulled, tools/base-image.sh makes one. If this machine
# has no docker or podman, the script says so and exits with 0; with REQUIRE=1 that is a failure.
set -euo pipefail
here=$(CDPATH= cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd "$here"
image=${IMAGE:-localhost/widemerge:dev}
own_base=localhost/widemerge-base:own
say() { echo "image: $*" >&2; }

engine=$(scripts/image.sh engine) || {
  [ "${REQUIRE:-0}" = 1 ] && exit 1
  echo "SKIPPED: the tests of the image (test/image/). The line above names what is missing."
  exit 0
}
base=${WIDEMERGE_BASE:-$(sed -n 's/^ARG BASE=//p' Dockerfile)}
if ! "$engine" image inspect "$base" >/dev/null 2>&1 && ! timeout 300 "$engine" pull --quiet "$base" >/dev/null 2>&1; then
  say "$base cannot be pulled; using a base image from Debian's packages and this machine's Node instead"
  base=$own_base
  "$engine" image inspect "$base" >/dev/null 2>&1 || tools/base-image.sh make "$base"
fi
WIDEMERGE_BASE=$base scripts/image.sh build "$image"
say "content in MB, unpacked:"
scripts/image.sh sizes "$image" >&2
IMAGE=$image node --no-warnings --test --test-timeout=600000 --test-reporter=spec test/image/*.test.ts
