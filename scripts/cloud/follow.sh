# Follows a run on Kubernetes to its end; sourced after deployment.sh.
# shellcheck shell=bash

# ending: Complete or Failed where the run's Job is over, nothing before; fails where the cluster cannot be asked.
ending() {
  local types
  kube get job "$RUN" '--output=jsonpath={.status.conditions[?(@.status=="True")].type}'
  types=$("${words[@]}") || return 1
  case " $types " in
    *" Complete "*) echo Complete ;;
    *" Failed "*) echo Failed ;;
  esac
}

# The controller's log, of its newest pod. One that is not there yet, and a lost connection, are no matter.
print_log() {
  local pod
  kube get pods "--selector=batch.kubernetes.io/job-name=$RUN" --sort-by=.metadata.creationTimestamp --output=name
  pod=$("${words[@]}" 2>/dev/null | tail -n 1) || return 0
  [ -n "$pod" ] || return 0
  kube logs "$pod" "$@"
  "${words[@]}" 2>/dev/null || true
}

# follow: until the Job is over; fails where the run did. Interrupted, it leaves the run to itself.
follow() {
  local end="" misses=0 since=1970-01-01T00:00:00Z next
  if [ "${FOLLOW:-1}" != 1 ]; then say "started: make status RUN=$RUN, make report RUN=$RUN" && return 0; fi
  kube delete job "$RUN"
  trap 'echo; say "the run goes on: make status RUN=$RUN. To stop it: $(quote "${words[@]}")"; exit 130' INT
  say "following the controller's log; Ctrl-C leaves the run to itself"
  while :; do
    if end=$(ending); then misses=0; else misses=$((misses + 1)); fi
    [ $misses -lt 20 ] || stop 75 "the cluster cannot be asked how the run stands; it goes on: make status RUN=$RUN"
    [ -z "$end" ] || break
    next=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    print_log --follow "--since-time=$since"
    since=$next
    sleep 3
  done
  print_log "--since-time=$since"
  [ "$end" = Complete ]
}
