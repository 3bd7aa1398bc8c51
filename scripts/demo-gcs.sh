#!/bin/sh
# The main job in a bucket: merges the 27 pairs in the tests' Cloud Storage server. Inputs and outputs stay in its memory.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"
widemerge=bin/widemerge
node=$(scripts/find-node.sh) || { echo "demo-gcs: Node 22.19 or newer is missing: make setup" >&2; exit 2; }
pairs=$(sed -n '/^pairs:/,/^]/p' profiles/27-pairs.yaml | grep -oE '\b[a-z]{6}\b')
tables=${TABLES:-40}
rows=${ROWS:-2000}

server=
work=$(mktemp -d)
clean() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

scripts/gcs.sh build >"$work/binary" 2>"$work/why" && found=0 || found=$?
if [ "$found" -eq 3 ]; then
  echo "demo-gcs: SKIPPED: $(cat "$work/why")"
  exit 0
fi
[ "$found" -eq 0 ] || { cat "$work/why" >&2; exit "$found"; }

echo "== A Cloud Storage server for this demo, with objects in memory"
: >"$work/server"
binary=$(cat "$work/binary")
"$binary" >"$work/server" 2>&1 &
server=$!
endpoint="" looks=0
while [ -z "$endpoint" ]; do
  [ "$looks" -lt 300 ] || { echo "demo-gcs: the server was not ready within 30 s" >&2; exit 1; }
  kill -0 "$server" 2>/dev/null || { cat "$work/server" >&2; exit 1; }
  endpoint=$(sed -n 's/^listening on //p' "$work/server")
  looks=$((looks + 1))
  [ -n "$endpoint" ] || sleep 0.1
done
bucket="widemerge-demo"
"$node" -e '
  const [url, name] = process.argv.slice(1);
  const headers = { "content-type": "application/json" };
  fetch(url, { method: "POST", headers, body: JSON.stringify({ name }) }).then(({ ok, status }) => {
    if (!ok) throw new Error(`no bucket: HTTP ${status}`);
  });
' "$endpoint/storage/v1/b?project=demo" "$bucket"
export WIDEMERGE_GCS_ENDPOINT="$endpoint"
echo "server   $endpoint"
echo
echo "== Checkpoints from real rates: $tables feature tables per pair, a fifth of them misaligned"
$widemerge sample --out "gs://$bucket/checkpoints" --pairs "$(echo $pairs | tr ' ' ,)" --tables "$tables" --rows "$rows" --misaligned 0.2
echo
echo "== Merge, one pair after the other; each output is verified against its sources before it is published"
for pair in $pairs; do
  $widemerge merge "$pair" --input "gs://$bucket/checkpoints" --output "gs://$bucket/training" --memory-ceiling 2GiB \
    --expect-tables $((tables + 1)) --verify sample --json >"$work/$pair.json" 2>"$work/log" || { cat "$work/log" "$work/$pair.json" >&2; exit 1; }
  "$node" -e '
    const { pair, rows, columns, tables, output } = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
    console.log(`${pair}  ${rows} rows × ${columns} columns  |  ${tables.total} tables: ${tables.spliced} spliced, ${tables.aligned} aligned  |  ${output}`);
  ' "$work/$pair.json"
done
echo
"$node" -e '
  const results = process.argv.slice(1).map((path) => JSON.parse(require("fs").readFileSync(path, "utf8")));
  const sum = (pick) => results.reduce((total, result) => total + pick(result), 0);
  const MB = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  const requests = ["classA", "classB", "free"].map((name) => sum(({ traffic }) => traffic[name]).toLocaleString("en-US"));
  console.log(`== ${results.length} training files and their manifests: gs://'"$bucket"'/training (${MB(sum(({ bytes }) => bytes.written))})`);
  console.log(`requests ${requests[0]} class A (writes, lists, compositions), ${requests[1]} class B (reads), ${requests[2]} free (deletions)`);
  console.log(`bytes    ${MB(sum(({ traffic }) => traffic.bytesDown))} down, ${MB(sum(({ traffic }) => traffic.bytesUp))} up, verification included`);
' "$work"/*.json
