# What the scripts of the test cluster share; bash sources this file.
# shellcheck shell=bash disable=SC2034
module=$(CDPATH= cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
checkout=$(CDPATH= cd -- "$module/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/widemerge
folder=${WIDEMERGE_CLUSTER:-$cache/cluster}
first_port=${WIDEMERGE_CLUSTER_PORT:-26440} # The cluster uses this port and the next six, on loopback.
etcd_port=$first_port peer_port=$((first_port + 1)) api_port=$((first_port + 2)) controller_port=$((first_port + 3))
scheduler_port=$((first_port + 4)) kubelet_port=$((first_port + 5)) health_port=$((first_port + 6))
bridge=widemerge0
pods=10.239.17.0/24
host_address=10.239.17.1 # Pods reach the machine at this address.
services=10.239.18.0/24  # Nothing answers here: the cluster has no kube-proxy.
sandbox=localhost/widemerge-probe:1
probe=$cache/probe-$(cat "$module/probe/go.mod" "$module/probe/main.go" | sha256sum | cut -c1-12)/probe
parts="etcd kube-apiserver kube-controller-manager kube-scheduler containerd kubelet"
# The settings of the machine that the kubelet and the bridge change.
sysctls="vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys
  kernel/keys/root_maxbytes net/ipv4/ip_forward"
# Folders outside the work folder that kubelet, containerd and its network library make in spite of their settings.
outside="/run/containerd /usr/libexec/kubernetes /var/lib/cni /var/lib/kubelet /var/log/containers"

say() { echo "cluster: $*" >&2; }

# A socket's path has at most 107 bytes, and the scripts write the folder's name into YAML, TOML and JSON without escaping.
check_folder() {
  [[ $folder =~ ^/[A-Za-z0-9._/-]{1,70}$ && $folder != *..* ]] && return 0
  say "the work folder must be an absolute path of at most 71 letters, digits and ._/- : $folder"
  exit 2
}

# binaries: prints the folder of the cluster's programs, built or not.
binaries() { "$checkout/tools/kubernetes/build.sh" --folder; }

kubectl() { KUBECONFIG="$folder/kubeconfig" "$(binaries)/kubectl" --request-timeout=5s "$@"; }

containers() { ctr --address "$folder/containerd.sock" --namespace k8s.io "$@"; }

# pid_of PART: prints the id of its process, if it still runs. The arguments of each part name the work folder.
pid_of() {
  local pid
  pid=$(cat "$folder/pids/$1" 2>/dev/null) && grep -qsaF "$folder/" "/proc/$pid/cmdline" && echo "$pid"
}

# mounts: lists the mount points under the work folder, innermost first.
mounts() { awk -v under="$folder/" 'index($5, under) == 1 { print $5 }' /proc/self/mountinfo | sort -r; }

pod_groups() { ls -d /sys/fs/cgroup/kubepods /sys/fs/cgroup/*/kubepods 2>/dev/null || true; }
