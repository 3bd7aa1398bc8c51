# Shared by the scripts of the test cluster; sourced by bash. Sets: module, cache, folder, ports, names.
module=$(CDPATH= cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
checkout=$(CDPATH= cd -- "$module/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/widemerge
folder=${WIDEMERGE_CLUSTER:-$cache/cluster}
first_port=${WIDEMERGE_CLUSTER_PORT:-26440} # this one and the six after it, on loopback
etcd_port=$first_port peer_port=$((first_port + 1)) api_port=$((first_port + 2)) controller_port=$((first_port + 3))
scheduler_port=$((first_port + 4)) kubelet_port=$((first_port + 5)) health_port=$((first_port + 6))
bridge=widemerge0
pods=10.239.17.0/24
host_address=10.239.17.1 # where pods reach the machine
services=10.239.18.0/24  # only an address range: there is no kube-proxy
sandbox=localhost/widemerge-probe:1
parts="etcd kube-apiserver kube-controller-manager kube-scheduler containerd kubelet"
# What the kubelet and the bridge change on the machine.
sysctls="vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys
  kernel/keys/root_maxbytes net/ipv4/ip_forward"
# Folders outside the work folder that kubelet, containerd and its network library make, whatever they are told.
outside="/run/containerd /usr/libexec/kubernetes /var/lib/cni /var/lib/kubelet /var/log/containers"

say() { echo "cluster: $*" >&2; }

# Socket paths have at most 107 bytes, and the folder's name goes into YAML, TOML and JSON as it is.
check_folder() {
  [[ $folder =~ ^/[A-Za-z0-9._/-]{1,70}$ && $folder != *..* ]] && return 0
  say "the work folder must be an absolute path of at most 71 letters, digits and ._/- : $folder"
  exit 2
}

# The folder of the binaries, named after everything that goes into them.
binaries() {
  local version hash
  version=$(sed -n 's#^\tk8s.io/kubernetes \(v[0-9.]*\)$#\1#p' "$module/go.mod")
  hash=$(cd "$module" && cat go.mod go.sum main.go probe/main.go | sha256sum | cut -c1-12)
  echo "$cache/kubernetes-$version-$hash"
}

kubectl() { KUBECONFIG="$folder/kubeconfig" "$(binaries)/kubectl" --request-timeout=5s "$@"; }

containers() { ctr --address "$folder/containerd.sock" --namespace k8s.io "$@"; }

# Process id of a part that this script started: one that still runs and names the work folder in its arguments.
pid_of() {
  local pid
  pid=$(cat "$folder/pids/$1" 2>/dev/null) && grep -qsaF "$folder/" "/proc/$pid/cmdline" && echo "$pid"
}

# Mount points under the work folder, the innermost first.
mounts() { awk -v under="$folder/" 'index($5, under) == 1 { print $5 }' /proc/self/mountinfo | sort -r; }

pod_groups() { ls -d /sys/fs/cgroup/kubepods /sys/fs/cgroup/*/kubepods 2>/dev/null || true; }
