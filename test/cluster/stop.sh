#!/usr/bin/env bash
# Stops the cluster and undoes all its changes to the machine. Only logs/ stays in the work folder.
set -uo pipefail
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
check_folder
[ -e "$folder/pids" ] || exit 0

# stop_part NAME SECONDS: sends SIGTERM, after that many seconds SIGKILL, and waits until the process has ended. The arguments
# of a process disappear as soon as it ends; `kill -0` would also wait until its parent collects it.
stop_part() {
  local pid attempt=0
  pid=$(pid_of "$1") || return 0
  kill -TERM "$pid" 2>/dev/null
  while [ -n "$(pid_of "$1")" ]; do
    [ $attempt -lt $((10 * $2)) ] || kill -KILL "$pid" 2>/dev/null
    [ $attempt -lt $((10 * $2 + 100)) ] || { say "$1 (process $pid) has not ended 10 s after SIGKILL"; return 0; }
    attempt=$((attempt + 1))
    sleep 0.1
  done
}

remove_containers() {
  [ -n "$(pid_of containerd)" ] || return 0
  local task
  for task in $(containers tasks ls -q); do containers tasks delete --force "$task" >/dev/null 2>&1; done
}

# kill_leftovers: kills what containerd leaves: the processes of pods, then the shims, which name this cluster's socket.
kill_leftovers() {
  local group process
  for group in $(pod_groups); do
    for process in $(find "$group" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u); do kill -KILL "$process" 2>/dev/null; done
  done
  for process in $(grep -lsaF "$folder/containerd.sock" /proc/[0-9]*/cmdline | cut -d/ -f3); do
    [ "$(basename "$(readlink "/proc/$process/exe")")" = containerd-shim-runc-v2 ] && kill -KILL "$process" 2>/dev/null
  done
}

remove_groups() {
  local group attempt
  for attempt in 1 2 3 4 5; do
    for group in $(pod_groups); do find "$group" -depth -type d -exec rmdir {} + 2>/dev/null; done
    [ -z "$(pod_groups)" ] && return 0
    sleep 0.5
  done
  say "control groups remain: $(pod_groups | tr '\n' ' ')"
}

# remove_network: removes the bridge, and the one or two files for each pod that containerd's network library keeps outside
# the work folder.
remove_network() {
  local sandbox
  ip link delete "$bridge" 2>/dev/null
  for sandbox in "$folder"/containerd/root/io.containerd.grpc.v1.cri/sandboxes/*; do
    rm -f /var/lib/cni/results/*-"$(basename "$sandbox")"-*
  done
}

unmount_all() {
  local path
  mounts | while read -r path; do umount "$path" 2>/dev/null || umount --lazy "$path"; done
}

restore_sysctls() {
  local name value
  [ -e "$folder/sysctls" ] || return 0
  while read -r name value; do
    [ "$(cat "/proc/sys/$name")" = "$value" ] || echo "$value" >"/proc/sys/$name"
  done <"$folder/sysctls"
}

remove_outside() {
  local path
  find /var/log/containers -type l -lname "$folder/*" -delete 2>/dev/null # The kubelet links every container's log there.
  [ -e "$folder/absent" ] || return 0
  while read -r path; do
    find "$path" -depth '(' -type s -o -type d -empty ')' -delete 2>/dev/null # Sockets of the kubelet and of the shims.
  done <"$folder/absent"
}

# The control plane needs no time to save its state, because the folder is deleted below.
stop_part kubelet 5
stop_part kube-scheduler 0
stop_part kube-controller-manager 0
remove_containers
kill_leftovers
stop_part containerd 5
stop_part kube-apiserver 0
stop_part etcd 0
unmount_all
remove_network
remove_groups
restore_sysctls
remove_outside
if [ -n "$(mounts)" ]; then
  say "still mounted, so nothing is deleted: $(mounts | tr '\n' ' ')"
  exit 1
fi
find "$folder" -mindepth 1 -maxdepth 1 ! -name logs -exec rm -rf --one-file-system {} +
