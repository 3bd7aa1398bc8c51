#!/bin/sh
# The benchmark: compares widemerge with the physical limit and with other tools, on the same files, in one run.
# SIZE=tiny|small|full (small, about 2 GB)  RUNS=3  KEEP=1 keeps bench/work  PARTS=aligned,misaligned,growth,rows,groups,tables,encodings,bucket,cost,fanout,quiet  ONLY=part of a name
# Python peers take part where scripts/interop.sh has made .venv/.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"
for tool in prlimit df; do
  command -v "$tool" >/dev/null 2>&1 || { echo "bench: needs $tool (Linux: util-linux, coreutils)." >&2; exit 2; }
done
node=$(scripts/find-node.sh) || { echo "bench: needs Node 22.19 or newer: run 'make setup'." >&2; exit 2; }
# Cloud Storage and runs of many pairs are sections of their own.
case ",${PARTS:-aligned}," in
  *,aligned,* | *,misaligned,* | *,growth,*) "$node" --no-warnings bench/races.ts ;;
esac
case ",${PARTS:-rows}," in
  *,rows,* | *,groups,* | *,tables,* | *,encodings,*) "$node" --no-warnings bench/shapes.ts ;;
esac
case ",${PARTS:-bucket}," in
  *,bucket,*) "$node" --no-warnings bench/bucket.ts ;;
esac
# What was measured in a bucket, in dollars.
case ",${PARTS:-cost}," in
  *,bucket,* | *,cost,*) [ "${SIZE:-small}" = tiny ] || "$node" --no-warnings bench/cost.ts ;;
esac
case ",${PARTS:-fanout}," in
  *,fanout,*) "$node" --no-warnings bench/fanout.ts ;;
esac
# Runs in which nothing happens take 30 minutes, so they are measured only on request.
case ",${PARTS:-}," in
  *,quiet,*)
    status=0
    scripts/cluster.sh run "$node" --no-warnings bench/quiet.ts || status=$?
    # Cloud Run needs no cluster.
    [ "$status" -ne 3 ] || { status=0 && "$node" --no-warnings bench/quiet.ts || status=$?; }
    exit "$status"
    ;;
esac
