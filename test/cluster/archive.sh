#!/usr/bin/env bash
# archive.sh TAG CONFIG LAYER.tar... : writes an image to stdout in the format of `docker save`, without an image builder.
# CONFIG is the JSON object "config" of an image: Entrypoint, User, Env, WorkingDir ... If LAYER.tar.sha256 exists, the
# layer's SHA-256 sum is read from it.
set -euo pipefail
tag=$1 config=$2
shift 2
case $(uname -m) in
  x86_64) architecture=amd64 ;;
  aarch64) architecture=arm64 ;;
  *) architecture=$(uname -m) ;;
esac
draft=$(mktemp -d)
trap 'rm -rf "$draft"' EXIT
digests="" names="" count=0
for layer in "$@"; do
  ln -s "$(readlink -f "$layer")" "$draft/$count.tar"
  sum=$(cat "$layer.sha256" 2>/dev/null || sha256sum <"$layer" | cut -c1-64)
  digests+="${digests:+, }\"sha256:$sum\""
  names+="${names:+, }\"$count.tar\""
  count=$((count + 1))
done
cat >"$draft/config.json" <<JSON
{"architecture": "$architecture", "os": "linux", "config": $config, "rootfs": {"type": "layers", "diff_ids": [$digests]}}
JSON
cat >"$draft/manifest.json" <<JSON
[{"Config": "config.json", "RepoTags": ["$tag"], "Layers": [$names]}]
JSON
tar -C "$draft" --dereference -cf - manifest.json config.json $(seq -f %.0f.tar 0 $((count - 1)))
