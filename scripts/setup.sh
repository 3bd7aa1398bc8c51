#!/bin/sh
# Set-up on a machine with git, make, npm and any Node: installs a Node that is new enough, then the locked packages.
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
    *) echo "set-up: npm has no Node for $(uname -s) $(uname -m): install Node 22.19 or newer (https://nodejs.org)." >&2; exit 1 ;;
  esac
  echo "set-up: Node is $(node --version 2>/dev/null || echo missing), 22.19 or newer is needed: installing Node $NODE_VERSION into .toolchain/ ..."
  npm install --prefix .toolchain --no-save --no-package-lock --ignore-scripts --loglevel=error "node-$platform@$NODE_VERSION"
  mkdir -p .toolchain/bin
  ln -sf "../node_modules/node-$platform/bin/node" .toolchain/bin/node
  node=$(scripts/find-node.sh) || { echo "set-up: the Node that npm installed does not run here: install Node 22.19 or newer (https://nodejs.org)." >&2; exit 1; }
fi

PATH="$(dirname "$node"):$PATH"
export PATH
# npm writes node_modules/.package-lock.json last: if it is newer than the lock file, the packages are complete.
if [ ! -e node_modules/.package-lock.json ] || [ -n "$(find package-lock.json -newer node_modules/.package-lock.json)" ]; then
  echo "set-up: installing the locked packages ..."
  npm ci --ignore-scripts --loglevel=error
  touch node_modules/.package-lock.json
fi
