#!/usr/bin/env bash
# build.sh [--folder] : builds the programs of a Kubernetes cluster into the user's cache, once, and prints their folder.
# With --folder it only prints where they are, or would be. The first build takes about 6 minutes on 2 cores.
# Exit code 3: something is missing on this machine; the message names it.
set -euo pipefail
umask 022 # The mode of what is built does not depend on the caller.
module=$(CDPATH= cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/widemerge
version=$(sed -n 's#^\tk8s.io/kubernetes \(v[0-9.]*\)$#\1#p' "$module/go.mod")
hash=$(cd "$module" && cat go.mod go.sum main.go | sha256sum | cut -c1-12)
target=$cache/kubernetes-$version-$hash

say() { echo "kubernetes: $*" >&2; }

stop_missing() {
  say "cannot build Kubernetes: $1"
  say "install Go $(sed -n 's/^go //p' "$module/go.mod") or newer (https://go.dev/dl). Go 1.21 or newer downloads that version itself, unless GOTOOLCHAIN=local."
  exit 3
}

build() {
  local draft problem name
  command -v go >/dev/null 2>&1 || stop_missing "Go is not installed"
  problem=$(cd "$module" && go list -deps . 2>&1 >/dev/null) || stop_missing "$problem"
  say "building Kubernetes $version; this takes some minutes, once"
  mkdir -p "$cache"
  draft=$(mktemp -d "$target.XXXXXX")
  # The trap outlives this function, so it gets the path now.
  # shellcheck disable=SC2064
  trap "rm -rf '$draft'" EXIT
  (cd "$module" && CGO_ENABLED=0 nice go build -trimpath -buildvcs=false \
    -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$version" -o "$draft/kubernetes" .) >&2
  for name in etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kubectl; do
    ln -s kubernetes "$draft/$name"
  done
  chmod 755 "$draft"
  mv -T "$draft" "$target" 2>/dev/null || [ -x "$target/kubernetes" ] # Another build may have finished first.
}

case ${1:-} in
  "") [ -x "$target/kubernetes" ] || build ;;
  --folder) ;;
  *) say "usage: build.sh [--folder]" && exit 2 ;;
esac
echo "$target"
