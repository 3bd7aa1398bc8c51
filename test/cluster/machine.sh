# What the machine must offer for a cluster to start; sourced by start.sh after lib.sh.

# Every problem at once, each with what to do about it; exit 3.
check_machine() {
  local problems=() tool package port
  [ "$(uname -s)" = Linux ] || problems+=("this is not Linux")
  [ "$(id -u)" = 0 ] || problems+=("root is needed: a kubelet mounts file systems and makes control groups")
  while read -r tool package; do
    command -v "$tool" >/dev/null 2>&1 || problems+=("$tool is missing (Debian package $package)")
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
  cni_programs=$(find_plugins) || problems+=("the network plug-ins bridge, host-local, loopback are missing (Debian package containernetworking-plugins)")
  mountpoint -q /sys/fs/cgroup || problems+=("no control groups are mounted at /sys/fs/cgroup")
  [ -z "$(pod_groups)" ] || problems+=("there are pods' control groups already ($(pod_groups | head -1)): another kubelet runs here, or 'scripts/cluster.sh stop' is due")
  ip link show "$bridge" >/dev/null 2>&1 && problems+=("there is a network interface $bridge already")
  for port in $(seq "$first_port" $((first_port + 6))); do
    [ -z "$(ss -Hltn "sport = :$port" 2>/dev/null)" ] || problems+=("port $port is in use: set WIDEMERGE_CLUSTER_PORT to the first of seven free ones")
  done
  [ ${#problems[@]} = 0 ] && return 0
  for problem in "${problems[@]}"; do say "$problem"; done
  say "'scripts/cluster.sh install' installs the packages on Debian 12."
  exit 3
}

find_plugins() {
  local dir
  for dir in /usr/lib/cni /opt/cni/bin /usr/libexec/cni; do
    [ -x "$dir/bridge" ] && [ -x "$dir/host-local" ] && [ -x "$dir/loopback" ] && echo "$dir" && return 0
  done
  return 1
}
