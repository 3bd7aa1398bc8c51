#!/usr/bin/env bash
# Builds the container image, runs it, and shows what is in it, with docker, or with podman if no docker answers.
set -euo pipefail
usage="usage: scripts/image.sh COMMAND
  install            install podman (Debian, apt-get)
  build TAG          build the image from the Dockerfile; \$WIDEMERGE_BASE names another base image
  run ARGUMENTS...   do what 'docker run' does; also kill, wait, rm, inspect
  save TAG FILE      write the image to a file, as 'docker save' does
  sizes TAG          list what the image contains, in MB unpacked, largest first
  engine             print the name of the engine; exit code 3 if there is none
Where no image registry can be reached, tools/base-image.sh makes a base image."
checkout=$(CDPATH= cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
say() { echo "image: $*" >&2; }

choose_engine() {
  if docker info >/dev/null 2>&1; then echo docker
  elif command -v podman >/dev/null 2>&1; then echo podman
  else say "no docker answers and podman is not installed: install docker, or podman (Debian: scripts/image.sh install)"; exit 3; fi
}

# call VERB ARGUMENTS...: runs the engine. Two defaults of podman fail in some containers and virtual machines: crun does not
# support hybrid control groups, and limits above this process's own need a capability that containers rarely have.
call() {
  local verb=$1 flags=() limits=()
  shift
  if [ "$engine" = podman ]; then
    if [ -d /sys/fs/cgroup/memory ] && command -v runc >/dev/null 2>&1; then flags=(--runtime runc --cgroup-manager cgroupfs); fi
    case $verb in run | build) limits=(--ulimit "nofile=$(lower -n 1024)" --ulimit "nproc=$(lower -u 1024)") ;; esac
  fi
  "$engine" "${flags[@]}" "$verb" "${limits[@]}" "$@"
}

# lower FLAG WANTED: prints the wanted limit as soft:hard, or this process's own limit if that is lower.
lower() {
  local own
  own=$(ulimit -H "$1")
  if [ "$own" != unlimited ] && [ "$own" -lt "$2" ]; then echo "$own:$own"; else echo "$2:$2"; fi
}

build() {
  cd "$checkout"
  local arguments=(--build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)") source
  arguments+=(--build-arg "VERSION=$(sed -n 's/^  "version": "\(.*\)",/\1/p' package.json)")
  # The label must not contain a name and password from the address.
  source=$(git remote get-url origin 2>/dev/null | sed -E 's#://[^/@]*@#://#') || true
  [ -z "$source" ] || arguments+=(--build-arg "SOURCE=$source")
  [ -z "${WIDEMERGE_BASE:-}" ] || arguments+=(--build-arg "BASE=$WIDEMERGE_BASE")
  [ "$engine" = docker ] || arguments+=(--network host)
  call build "${arguments[@]}" --tag "$1" .
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
  install) apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-upgrade --no-install-recommends podman buildah runc >&2; exit ;;
  help | --help | -h) echo "$usage"; exit ;;
esac
engine=$(choose_engine)
case $command:$# in
  engine:0) echo "$engine" ;;
  build:1) build "$1" ;;
  save:2) call save --output "$2" "$1" ;;
  sizes:1) sizes "$1" ;;
  run:* | kill:* | wait:* | rm:* | inspect:*) call "$command" "$@" ;;
  *) echo "$usage" >&2; exit 2 ;;
esac
