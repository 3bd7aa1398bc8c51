#!/usr/bin/env bash
# Starts the cluster under the work folder and prints the path of its kubeconfig. Does nothing if it runs already.
set -euo pipefail
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$module/machine.sh"
check_folder

# make_probe: builds the program of the sandbox image, once for each state of its source.
make_probe() {
  local draft
  [ ! -x "$probe" ] || return 0
  command -v go >/dev/null 2>&1 || { say "Go, which builds test/cluster/probe, is not installed: https://go.dev/dl"; exit 3; }
  mkdir -p "${probe%/*}"
  draft=$probe.$$
  (cd "$module/probe" && CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w" -o "$draft" .)
  mv "$draft" "$probe"
}

# One self-signed certificate identifies the API server, is the authority that all parts trust, and authenticates the API
# server to the kubelet.
make_secrets() {
  mkdir -p "$folder/pki"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
    -subj "/O=system:masters/CN=kube-apiserver" -addext "subjectAltName=IP:127.0.0.1,DNS:localhost" \
    -keyout "$folder/pki/cluster.key" -out "$folder/pki/cluster.crt" 2>"$folder/logs/openssl.log"
  openssl genrsa -out "$folder/pki/accounts.key" 2048 2>>"$folder/logs/openssl.log"
  token=$(openssl rand -hex 24)
  echo "$token,admin,admin,system:masters" >"$folder/pki/tokens.csv"
}

# The root of a container is often an overlay, and overlays cannot be stacked.
choose_snapshotter() {
  [ "$(stat -f -c %T "$folder")" = overlayfs ] && echo native || echo overlayfs
}

render() {
  sed -e "s#@FOLDER@#$folder#g" -e "s#@API_PORT@#$api_port#g" -e "s#@KUBELET_PORT@#$kubelet_port#g" \
    -e "s#@HEALTH_PORT@#$health_port#g" -e "s#@TOKEN@#$token#g" -e "s#@SANDBOX@#$sandbox#g" -e "s#@BRIDGE@#$bridge#g" \
    -e "s#@PODS@#$pods#g" -e "s#@CNI_PROGRAMS@#$cni_programs#g" -e "s#@SNAPSHOTTER@#$(choose_snapshotter)#g" \
    "$module/config/$1" >"$2"
}

# note_absent: lists the folders that do not exist yet, so that stop.sh can remove them.
note_absent() {
  local path
  for path in $outside; do [ -e "$path" ] || echo "$path"; done >"$folder/absent"
}

keep_sysctls() {
  local name
  for name in $sysctls; do
    [ -r "/proc/sys/$name" ] && echo "$name $(cat "/proc/sys/$name")"
  done >"$folder/sysctls"
}

# launch PART PROGRAM ARGUMENTS...: starts a part in its own session, so that Ctrl-C does not reach it before stop.sh does.
launch() {
  local name=$1 program=$2
  shift 2
  (umask 022 && exec setsid "$program" "$@") >"$folder/logs/$name.log" 2>&1 </dev/null 9>&- &
  echo $! >"$folder/pids/$name"
  disown # Otherwise bash reports how it ended.
}

launch_control_plane() {
  launch etcd "$bin/etcd" --data-dir "$folder/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls "http://127.0.0.1:$etcd_port" --advertise-client-urls "http://127.0.0.1:$etcd_port" \
    --listen-peer-urls "http://127.0.0.1:$peer_port" --initial-advertise-peer-urls "http://127.0.0.1:$peer_port" \
    --initial-cluster "default=http://127.0.0.1:$peer_port"
  launch kube-apiserver "$bin/kube-apiserver" --etcd-servers "http://127.0.0.1:$etcd_port" \
    --bind-address 127.0.0.1 --advertise-address 127.0.0.1 --secure-port "$api_port" --endpoint-reconciler-type none \
    --tls-cert-file "$folder/pki/cluster.crt" --tls-private-key-file "$folder/pki/cluster.key" \
    --token-auth-file "$folder/pki/tokens.csv" --authorization-mode RBAC --service-cluster-ip-range "$services" \
    --service-account-issuer https://kubernetes.default.svc --service-account-key-file "$folder/pki/accounts.key" \
    --service-account-signing-key-file "$folder/pki/accounts.key" --kubelet-preferred-address-types Hostname \
    --kubelet-client-certificate "$folder/pki/cluster.crt" --kubelet-client-key "$folder/pki/cluster.key"
  launch kube-controller-manager "$bin/kube-controller-manager" --kubeconfig "$folder/kubeconfig" \
    --leader-elect=false --bind-address 127.0.0.1 --secure-port "$controller_port" --cert-dir "$folder/pki/controller" \
    --service-account-private-key-file "$folder/pki/accounts.key" --root-ca-file "$folder/pki/cluster.crt" \
    --use-service-account-credentials --flex-volume-plugin-dir "$folder/kubelet/volume-plugins"
  launch kube-scheduler "$bin/kube-scheduler" --kubeconfig "$folder/kubeconfig" --leader-elect=false \
    --bind-address 127.0.0.1 --secure-port "$scheduler_port" --cert-dir "$folder/pki/scheduler"
}

import_sandbox() {
  # The user of the pods must be able to run it, whatever this machine's umask was when it was built.
  tar -C "${probe%/*}" --owner 0 --group 0 --mode 755 -cf "$folder/probe.tar" probe
  "$module/archive.sh" "$sandbox" '{"Entrypoint": ["/probe"], "User": "65532:65532"}' "$folder/probe.tar" | containers images import -
}

launch_node() {
  # Without a fixed hardware address a bridge takes the lowest one of its ports. A pod that starts or ends could change it,
  # and the other pods would lose the machine until they resolve its address again.
  ip link add "$bridge" address 0a:58:0a:ef:11:01 type bridge
  ip address add "$host_address/24" dev "$bridge"
  ip link set "$bridge" up
  launch containerd containerd --config "$folder/containerd.toml" --log-level warn
  wait_for containerd 30 containers version
  import_sandbox >"$folder/logs/import.log" 2>&1 ||
    give_up import "the sandbox image cannot be imported"
  # The node is called localhost, because the API server can always resolve that name to reach the kubelet.
  launch kubelet "$bin/kubelet" --config "$folder/kubelet.yaml" --kubeconfig "$folder/kubeconfig" \
    --hostname-override localhost --root-dir "$folder/kubelet" --cert-dir "$folder/kubelet/pki"
}

give_up() {
  say "$2; the end of $folder/logs/$1.log:"
  tail -n 15 "$folder/logs/$1.log" >&2 || true
  exit 1
}

# wait_for PART SECONDS COMMAND...: waits until the command succeeds. If any part ends meanwhile, the start fails.
wait_for() {
  local part=$1 deadline=$((SECONDS + $2)) name
  shift 2
  until "$@" >/dev/null 2>&1; do
    for name in $parts; do
      [ ! -e "$folder/pids/$name" ] || kill -0 "$(cat "$folder/pids/$name")" 2>/dev/null || give_up "$name" "$name has ended"
    done
    [ "$SECONDS" -lt "$deadline" ] || give_up "$part" "$part was not ready in time"
    sleep 0.2
  done
}

node_is_ready() { [ "$(kubectl get node localhost -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')" = True ]; }

runs_already() {
  local part
  for part in $parts; do [ -n "$(pid_of "$part")" ] || return 1; done
  node_is_ready
}

began=$SECONDS
mkdir -p "$cache"
exec 9>"$cache/cluster.lock"
flock 9 # A second start waits for the first one, and then finds the cluster running.
if runs_already 2>/dev/null; then
  echo "$folder/kubeconfig"
  exit 0
fi
"$module/stop.sh"
check_machine
bin=$("$checkout/tools/kubernetes/build.sh")
make_probe
umask 077 # The work folder holds keys and tokens. What is built above must stay readable for pods.
trap '[ $? = 0 ] || "$module/stop.sh"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir -p "$folder/logs" "$folder/pids" "$folder/cni"
keep_sysctls
note_absent
make_secrets
render kubeconfig.yaml "$folder/kubeconfig"
render containerd.toml "$folder/containerd.toml"
render network.conflist "$folder/cni/widemerge.conflist"
render kubelet.yaml "$folder/kubelet.yaml"
launch_control_plane
launch_node
wait_for kube-apiserver 60 kubectl get --raw /readyz
wait_for kubelet 60 node_is_ready
# The API server refuses pods until their service account exists.
wait_for kube-controller-manager 30 kubectl get serviceaccount default
say "ready after $((SECONDS - began)) s; pods reach this machine at $host_address"
echo "$folder/kubeconfig"
