#!/bin/sh
# Uses the image in small, so that Node keeps the compiled modules: a merge, a run, and the clients of the clouds.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PATH=$here/bin:$PATH
cd "$work"
widemerge --help >/dev/null
widemerge sample --out checkpoints --pairs audusd,gbpusd --tables 5 >/dev/null
widemerge merge audusd --input checkpoints --output training >/dev/null
widemerge verify audusd --level full --input checkpoints --output training >/dev/null
widemerge run-all --run warm-up --pairs audusd,gbpusd --input checkpoints --output training >/dev/null
cd "$here"
NODE_COMPILE_CACHE=$here/.toolchain/compile-cache node --max-semi-space-size=2 --no-warnings --input-type=module \
  --eval 'await Promise.all(["@kubernetes/client-node", "@google-cloud/storage", "@google-cloud/run"].map((name) => import(name)))'
# Node lets only its own user read them.
chmod -R a+rX .toolchain/compile-cache
