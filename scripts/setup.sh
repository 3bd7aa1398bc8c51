#!/bin/sh
# Set-up on a machine with git, make, npm and any Node: first a Node that fits, then the locked packages.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"
NODE_VERSION=26.10.0 # LTS since October 2026

if ! node=$(scripts/find-node.sh); then
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) platform=linux-x64 ;;
    Linux-aarch64) platform=linux-arm64 ;;
    Darwin-arm64) platform=darwin-arm64 ;;
    Darwin-x86_64) platform=darwin-x64 ;;
    *) echo "set-up: no packaged Node for $(uname -s) $(uname -m): install Node 22.19 or newer yourself." >&2; exit 1 ;;
  esac
  echo "set-up: Node $(node --version 2>/dev/null || echo 'is missing'), 22.19 is needed: bringing Node $NODE_VERSION into .toolchain/ ..."
  npm install --prefix .toolchain --no-save --no-package-lock --loglevel=error "node-$platform@$NODE_VERSION"
  mkdir -p .toolchain/bin
  ln -sf "../node_modules/node-$platform/bin/node" .toolchain/bin/node
  node=$(scripts/find-node.sh) || { echo "set-up: the Node that npm brought does not run here." >&2; exit 1; }
fi

PATH="$(dirname "$node"):$PATH"
export PATH
# npm writes node_modules/.package-lock.json last: newer than the lock file means the set-up is complete.
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "set-up: installing the locked packages ..."
  npm ci --loglevel=error
  touch node_modules/.package-lock.json
fi
