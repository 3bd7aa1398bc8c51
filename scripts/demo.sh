#!/bin/sh
# The main job on real data: makes checkpoints of the 27 pairs from the ECB's reference rates, then merges one pair after the
# other.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"
widemerge=bin/widemerge
pairs=$(sed -n '/^pairs:/,/^]/p' profiles/27-pairs.yaml | grep -oE '\b[a-z]{6}\b')
tables=${TABLES:-40}

echo "== Checkpoints from real rates: $tables feature tables per pair, a fifth of them misaligned"
$widemerge sample --out demo/checkpoints --pairs "$(echo $pairs | tr ' ' ,)" --tables "$tables" --misaligned 0.2
echo
echo "== Merge, one pair after the other; each output is verified against its sources before it is published"
for pair in $pairs; do
  $widemerge merge "$pair" --input demo/checkpoints --output demo/training --memory-ceiling 2GiB \
    --expect-tables $((tables + 1)) --verify sample >demo/result.txt 2>demo/progress.log || { cat demo/progress.log >&2; exit 1; }
  sed -n 1p demo/result.txt
done
echo
echo "== The tables of the last pair that do not have exactly the targets' rows"
sed 1d demo/result.txt
echo
echo "== $(echo $pairs | wc -w) training files and their manifests: demo/training ($(du -sh demo/training | cut -f1))"
