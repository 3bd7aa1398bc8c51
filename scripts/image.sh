#!/usr/bin/env bash
# The container image: builds it, runs it, says what is in it. With docker, or podman where no docker answers.
set -euo pipefail
usage="usage: scripts/image.sh COMMAND
  install            install podman and debootstrap (Debian, apt-get)
  build TAG          build the image from the Dockerfile; \$WIDEMERGE_BASE names another base
  stand-in TAG       make a base from Debian's packages and this machine's Node, where no image registry can be reached
  run ARGUMENTS...   what 'docker run' would do; also kill, wait, rm, inspect
  save TAG FILE      write the image as 'docker save' does
  sizes TAG          what the image holds, in MB unpacked, largest first
  engine             print the engine's name; exit code 3 where there is none"
checkout=$(CDPATH= cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
say() { echo "image: $*" >&2; }

choose_engine() {
  if docker info >/dev/null 2>&1; then echo docker
  elif command -v podman >/dev/null 2>&1; then echo podman
  else say "no docker that answers, and no podman: scripts/image.sh install (Debian)"; exit 3; fi
}

# Podman's defaults fail in two places: crun knows no hybrid control groups, and limits above this process's own need a
# right that containers rarely have.
call() {
  local verb=$1 flags=() limits=()
  shift
  if [ "$engine" = podman ]; then
    if [ -d /sys/fs/cgroup/memory ] && command -v runc >/dev/null 2>&1; then flags=(--runtime runc --cgroup-manager cgroupfs); fi
    case $verb in run | build) limits=(--ulimit "nofile=$(lower -n 1024)" --ulimit "nproc=$(lower -u 1024)") ;; esac
  fi
  "$engine" "${flags[@]}" "$verb" "${limits[@]}" "$@"
}

# lower FLAG WANTED: the wanted limit as soft:hard, or this process's own where that is lower.
lower() {
  local own
  own=$(ulimit -H "$1")
  if [ "$own" != unlimited ] && [ "$own" -lt "$2" ]; then echo "$own:$own"; else echo "$2:$2"; fi
}

build() {
  cd "$checkout"
  local arguments=(--build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)") source
  arguments+=(--build-arg "VERSION=$(sed -n 's/^  "version": "\(.*\)",/\1/p' package.json)")
  # Never with the name and password that an address may hold.
  source=$(git remote get-url origin 2>/dev/null | sed -E 's#://[^/@]*@#://#') || true
  [ -z "$source" ] || arguments+=(--build-arg "SOURCE=$source")
  [ -z "${WIDEMERGE_BASE:-}" ] || arguments+=(--build-arg "BASE=$WIDEMERGE_BASE")
  [ "$engine" = docker ] || arguments+=(--network host)
  call build "${arguments[@]}" --tag "$1" .
}

# Under the same name the published base would be something else: the tag says that this one is not it.
stand_in() {
  local npm
  command -v debootstrap >/dev/null 2>&1 || { say "debootstrap is missing: scripts/image.sh install"; exit 3; }
  npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
  [ -e "$npm/bin/npm-cli.js" ] || { say "npm is not in its own folder: $npm"; exit 3; }
  root=$(mktemp -d) # not local: the trap outlives the function
  trap 'rm -rf "$root"' EXIT
  chmod 755 "$root"
  debootstrap --variant=minbase --include=libatomic1,libstdc++6,ca-certificates bookworm "$root" "${WIDEMERGE_DEBIAN:-http://deb.debian.org/debian}" >&2
  rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
  mkdir -p "$root/usr/local/lib/node_modules" "$root/usr/local/etc"
  cp -L "$(readlink -f "$("$checkout/scripts/find-node.sh")")" "$root/usr/local/bin/node"
  cp -a "$npm" "$root/usr/local/lib/node_modules/"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  # How this machine's npm reaches its registry; a name and a password in the address stay here.
  printf 'registry=%s\ncafile=/etc/ssl/certs/ca-certificates.crt\n' \
    "$(npm config get registry 2>/dev/null | sed -E 's#://[^/@]*@#://#')" >"$root/usr/local/etc/npmrc"
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  tar -C "$root" --numeric-owner --one-file-system --exclude './proc/*' --exclude './sys/*' --exclude './dev/*' -cf - . |
    "$engine" import --change 'CMD ["node"]' - "$1" >/dev/null
}

sizes() {
  call run --rm --network none --entrypoint /bin/sh "$1" -c '
    cd /opt/widemerge && total=$(du -xsm / 2>/dev/null | cut -f1)
    echo "$total total"
    du -sm /usr/local/bin/node .toolchain src data node_modules/* node_modules/@*/* | awk "\$1 > 1 { print \$1, \$2 }" | sort -rn
    echo "$(du -xsm /usr /etc /var --exclude=/usr/local 2>/dev/null | awk "{ sum += \$1 } END { print sum }") Debian"'
}

command=${1:-help}
shift || true
case $command in
  install) apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-upgrade --no-install-recommends podman buildah debootstrap runc >&2; exit ;;
  help | --help | -h) echo "$usage"; exit ;;
esac
engine=$(choose_engine)
case $command:$# in
  engine:0) echo "$engine" ;;
  build:1) build "$1" ;;
  stand-in:1) stand_in "$1" ;;
  save:2) call save --output "$2" "$1" ;;
  sizes:1) sizes "$1" ;;
  run:* | kill:* | wait:* | rm:* | inspect:*) call "$command" "$@" ;;
  *) echo "$usage" >&2; exit 2 ;;
esac
