#!/usr/bin/env bash
# Builds the cluster's programs into the cache and prints their folder. About 6 minutes on 2 cores the first time.
set -euo pipefail
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

missing() {
  say "cannot build Kubernetes: $1"
  say "Go $(sed -n 's/^go //p' "$module/go.mod") or newer is needed: https://go.dev/dl (a Go from 1.21 on can bring it itself, unless GOTOOLCHAIN=local)."
  exit 3
}

target=$(binaries)
if [ ! -x "$target/kubernetes" ]; then
  command -v go >/dev/null 2>&1 || missing "Go is not installed"
  problem=$(cd "$module" && go list -m 2>&1 >/dev/null) || missing "$problem"
  version=$(basename "$target" | cut -d- -f2)
  say "building Kubernetes $version, once ..."
  mkdir -p "$cache"
  draft=$(mktemp -d "$target.XXXXXX")
  trap 'rm -rf "$draft"' EXIT
  export CGO_ENABLED=0
  flags="-s -w -X k8s.io/component-base/version.gitVersion=$version"
  (cd "$module" && nice go build -trimpath -buildvcs=false -ldflags "$flags" -o "$draft/" . ./probe)
  mv "$draft/cluster" "$draft/kubernetes"
  for name in etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kubectl; do
    ln -s kubernetes "$draft/$name"
  done
  chmod 755 "$draft"
  mv -T "$draft" "$target" 2>/dev/null || [ -x "$target/kubernetes" ] # another build may have been quicker
fi
echo "$target"
