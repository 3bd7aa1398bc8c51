#!/usr/bin/env bash
# A base image for the Dockerfile, made from Debian's packages and this machine's Node and npm, for a machine that reaches
# no image registry. Its tag differs from the published base's, because its content does.
set -euo pipefail
usage="usage: tools/base-image.sh COMMAND
  install         install debootstrap (Debian, apt-get)
  make TAG        make the base image, and give it to docker or podman under that tag
\$WIDEMERGE_DEBIAN is the address of another Debian mirror. Exit code 3: something is missing; the message names it."
checkout=$(CDPATH= cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

say() { echo "base image: $*" >&2; }
stop_missing() {
  say "$1"
  exit 3
}

install() { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-upgrade --no-install-recommends debootstrap >&2; }

# install_npm ROOT NPM: copies Node and npm into the root. npm reaches its registry as this machine's npm does; a name and a
# password in the registry's address are left out.
install_npm() {
  mkdir -p "$1/usr/local/lib/node_modules" "$1/usr/local/etc"
  cp -L "$(readlink -f "$node")" "$1/usr/local/bin/node"
  cp -a "$2" "$1/usr/local/lib/node_modules/"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/usr/local/bin/npm"
  printf 'registry=%s\ncafile=/etc/ssl/certs/ca-certificates.crt\n' \
    "$(npm config get registry 2>/dev/null | sed -E 's#://[^/@]*@#://#')" >"$1/usr/local/etc/npmrc"
  cp -L /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/"
}

make() {
  local engine npm node
  engine=$("$checkout/scripts/image.sh" engine) || exit
  node=$("$checkout/scripts/find-node.sh") || stop_missing "Node 22.19 or newer is missing: make setup"
  command -v debootstrap >/dev/null 2>&1 || stop_missing "debootstrap is missing: tools/base-image.sh install"
  [ "$(id -u)" = 0 ] || stop_missing "debootstrap needs root"
  npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
  [ -e "$npm/bin/npm-cli.js" ] || stop_missing "npm is not a package of its own here: found $npm"
  root=$(mktemp -d) # Global, because the trap runs after this function.
  trap 'rm -rf "$root"' EXIT
  chmod 755 "$root"
  debootstrap --variant=minbase --include=libatomic1,libstdc++6,ca-certificates bookworm "$root" "${WIDEMERGE_DEBIAN:-http://deb.debian.org/debian}" >&2
  rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
  install_npm "$root" "$npm"
  tar -C "$root" --numeric-owner --one-file-system --exclude './proc/*' --exclude './sys/*' --exclude './dev/*' -cf - . |
    "$engine" import --change 'CMD ["node"]' - "$1" >/dev/null
}

case ${1:-help}:$# in
  install:1) install ;;
  make:2) make "$2" ;;
  help:* | --help:* | -h:*) echo "$usage" ;;
  *) echo "$usage" >&2; exit 2 ;;
esac
