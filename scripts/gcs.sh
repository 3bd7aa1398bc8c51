#!/bin/sh
# The Cloud Storage server of the tests, the Go program in test/gcs/, built into the user's cache once for each state of its
# source.
#   scripts/gcs.sh build          builds it, unless it is built, and prints the path of the binary
#   scripts/gcs.sh start [flags]  runs it in the foreground; -help lists the flags
# Exit code 3: it cannot be built on this machine; the message says why. Any other failure is a fault of the program.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)

absent() {
  echo "gcs: $1" >&2
  exit 3
}

hash_files() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum; else shasum -a 256; fi
}

build() {
  cd "$here/test/gcs"
  needed=$(sed -n 's/^go //p' go.mod)
  get="install Go $needed or newer: https://go.dev/dl"
  state=$(cat go.mod go.sum ./*.go | hash_files | cut -c1-16)
  binary=${XDG_CACHE_HOME:-$HOME/.cache}/widemerge/gcs-$state
  [ -x "$binary" ] && { echo "$binary"; return; }
  command -v go >/dev/null 2>&1 || absent "Go, which builds the tests' Cloud Storage server, is not installed: $get"
  found=$(GOTOOLCHAIN=local go env GOVERSION | sed 's/^go//; s/[ -].*//')
  [ "$(printf '%s\n' "$needed" "$found" | sort -V | head -n 1)" = "$needed" ] ||
    absent "Go $found is too old for the tests' Cloud Storage server: $get"
  go mod download >&2 || absent "the Go modules of the tests' Cloud Storage server cannot be fetched: allow access to a Go module proxy (go env GOPROXY)"
  mkdir -p "${binary%/*}"
  go build -trimpath -o "$binary.$$" . >&2
  mv "$binary.$$" "$binary"
  echo "$binary"
}

case "${1:-}" in
  build) build ;;
  start)
    shift
    binary=$(build)
    exec "$binary" "$@"
    ;;
  *)
    echo "usage: scripts/gcs.sh build | start [flags]" >&2
    exit 2
    ;;
esac
