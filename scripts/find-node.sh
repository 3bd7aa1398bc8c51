#!/bin/sh
# Prints the path of a Node >= 22.19 (what nodejs-polars' binaries and the cloud clients need), or fails.
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
fits() {
  "$1" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 19) ? 0 : 1)' 2>/dev/null
}
if [ -x "$here/.toolchain/bin/node" ] && fits "$here/.toolchain/bin/node"; then
  echo "$here/.toolchain/bin/node"
elif command -v node >/dev/null 2>&1 && fits node; then
  command -v node
else
  exit 1
fi
