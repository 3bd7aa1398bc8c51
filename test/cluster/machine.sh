# What a machine needs to start the cluster; start.sh sources this file after lib.sh.
# shellcheck shell=bash disable=SC2154

# check_machine: names every problem with its remedy, and exits with 3 if there is one.
check_machine() {
  local problems=() tool package port
  [ "$(uname -s)" = Linux ] || problems+=("this machine does not run Linux, which a kubelet needs")
  [ "$(id -u)" = 0 ] || problems+=("run this as root: a kubelet mounts file systems and creates control groups")
  while read -r tool package; do
    command -v "$tool" >/dev/null 2>&1 || problems+=("$tool is not installed (Debian package $package)")
  done <<<"containerd containerd
ctr containerd
containerd-shim-runc-v2 containerd
runc runc
ip iproute2
ss iproute2
mount mount
openssl openssl
setsid util-linux
tini tini
flock util-linux"
  cni_programs=$(find_plugins) || problems+=("the network plug-ins bridge, host-local and loopback are not installed (Debian package containernetworking-plugins)")
  mountpoint -q /sys/fs/cgroup || problems+=("no control groups are mounted at /sys/fs/cgroup")
  [ -z "$(pod_groups)" ] || problems+=("control groups of pods exist already ($(pod_groups | head -1)): stop the other kubelet, or run 'scripts/cluster.sh stop' if none runs")
  ip link show "$bridge" >/dev/null 2>&1 && problems+=("the network interface $bridge exists already: run 'scripts/cluster.sh stop', or 'ip link delete $bridge'")
  for port in $(seq "$first_port" $((first_port + 6))); do
    [ -z "$(ss -Hltn "sport = :$port" 2>/dev/null)" ] || problems+=("port $port is in use: set WIDEMERGE_CLUSTER_PORT to the first of seven free ones")
  done
  [ ${#problems[@]} = 0 ] && return 0
  for problem in "${problems[@]}"; do say "$problem"; done
  say "on Debian 12, 'scripts/cluster.sh install' installs the packages"
  exit 3
}

find_plugins() {
  local dir
  for dir in /usr/lib/cni /opt/cni/bin /usr/libexec/cni; do
    [ -x "$dir/bridge" ] && [ -x "$dir/host-local" ] && [ -x "$dir/loopback" ] && echo "$dir" && return 0
  done
  return 1
}
