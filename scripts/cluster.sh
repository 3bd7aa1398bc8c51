#!/usr/bin/env bash
# A real Kubernetes cluster of one node on this machine's loopback, for the tests: etcd, API server, controller manager,
# scheduler, kubelet, containerd, runc. It needs Linux and root, and pulls nothing from an image registry.
set -euo pipefail
usage="usage: scripts/cluster.sh COMMAND
  install                     install the Debian packages that the cluster needs (apt-get)
  build                       build Kubernetes into the cache and print the folder of its programs
  start [FOLDER]              start the cluster and print the path of its kubeconfig
  image ROOT|ARCHIVE TAG      load an image into the node: a root file system, or an archive that 'docker save' wrote
  own-image TAG               make the project's image from this checkout and load it into the node
  run COMMAND...              start the cluster, run the command with KUBECONFIG set and kubectl in PATH, stop the cluster
  stop [FOLDER]               stop the cluster and undo its changes to the machine
The work folder is FOLDER, else \$WIDEMERGE_CLUSTER, else ~/.cache/widemerge/cluster. The ports are
\$WIDEMERGE_CLUSTER_PORT (26440) and the next six. Exit code 3: something is missing on this machine; the message names it."
packages="containerd runc containernetworking-plugins iproute2 mount openssl tini util-linux"
command=${1:-help}
shift || true
case $command in start | stop) [ $# = 0 ] || { WIDEMERGE_CLUSTER=$(realpath -m -- "$1") && export WIDEMERGE_CLUSTER; } ;; esac
. "$(dirname -- "${BASH_SOURCE[0]}")/../test/cluster/lib.sh"

install_packages() {
  command -v apt-get >/dev/null 2>&1 || { say "this machine has no apt-get; install these packages, or what your system calls them: $packages"; exit 3; }
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-upgrade --no-install-recommends $packages >&2
}

# import_archive FILE|- TAG: loads an image. The node knows it by the tag in its archive, and by this one.
import_archive() {
  local name
  [ -n "$(pid_of containerd)" ] || { say "no cluster is running; start one: scripts/cluster.sh start"; exit 1; }
  name=$(containers images import "$1" | sed -n 's/^unpacking \(.*\) (sha256:.*/\1/p' | head -n 1)
  [ -n "$name" ] || { say "containerd imported nothing from $1; it must be an archive that 'docker save' wrote"; exit 1; }
  [ "$name" = "$2" ] || containers images tag --force "$name" "$2" >/dev/null
}

import_root() {
  local layer
  layer=$(mktemp --suffix .tar)
  tar -C "$1" --numeric-owner -cf "$layer" .
  "$module/archive.sh" "$2" '{"Env": ["PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"]}' "$layer" | import_archive - "$2"
  rm -f "$layer"
}

import() {
  [ $# = 2 ] || { say "usage: scripts/cluster.sh image ROOT|ARCHIVE TAG"; exit 2; }
  if [ -d "$1" ]; then import_root "$1" "$2"; else import_archive "$1" "$2"; fi
}

import_own() {
  [ $# = 1 ] || { say "usage: scripts/cluster.sh own-image TAG"; exit 2; }
  "$module/image.sh" "$1" /dev/stdout | import_archive - "$1"
}

run() {
  trap '"$module/stop.sh"' EXIT
  KUBECONFIG=$("$module/start.sh")
  export KUBECONFIG
  env PATH="$(binaries):$PATH" "$@"
}

case $command in
  install) install_packages ;;
  build) exec "$checkout/tools/kubernetes/build.sh" ;;
  start) exec "$module/start.sh" ;;
  stop) exec "$module/stop.sh" ;;
  image) import "$@" ;;
  own-image) import_own "$@" ;;
  run) run "$@" ;;
  help | --help | -h) echo "$usage" ;;
  *) echo "$usage" >&2; exit 2 ;;
esac
