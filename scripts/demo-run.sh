#!/bin/sh
# The 27 pairs of the demo in one run: plans them, merges several at a time on this machine, and writes a report.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"
widemerge=bin/widemerge
pairs=$(sed -n '/^pairs:/,/^]/p' profiles/27-pairs.yaml | grep -oE '\b[a-z]{6}\b' | paste -sd, -)
tables=${TABLES:-40}

echo "== Checkpoints from real rates: $tables feature tables per pair, a fifth of them misaligned"
$widemerge sample --out demo/checkpoints --pairs "$pairs" --tables "$tables" --misaligned 0.2
echo
echo "== Run: merges the pairs that are not done yet, as many at a time as fit on this machine"
$widemerge run-all --input demo/checkpoints --output demo/run --pairs "$pairs" --memory-ceiling 2GiB \
  --expect-tables $((tables + 1)) --verify sample 2>demo/progress.log || { cat demo/progress.log >&2; exit 1; }
