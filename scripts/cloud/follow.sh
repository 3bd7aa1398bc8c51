# Follows a run on Kubernetes to its end. Scripts source this file after deployment.sh.
# shellcheck shell=bash

# ending: prints Complete or Failed if the run's Job is over, else nothing. It fails if the cluster does not answer.
ending() {
  local types
  kube get job "$RUN" '--output=jsonpath={.status.conditions[?(@.status=="True")].type}'
  types=$("${words[@]}") || return 1
  case " $types " in
    *" Complete "*) echo Complete ;;
    *" Failed "*) echo Failed ;;
  esac
}

# print_log FLAGS...: prints the log of the controller's newest pod. A missing pod or a lost connection is no error.
print_log() {
  local pod
  kube get pods "--selector=batch.kubernetes.io/job-name=$RUN" --sort-by=.metadata.creationTimestamp --output=name
  pod=$("${words[@]}" 2>/dev/null | tail -n 1) || return 0
  [ -n "$pod" ] || return 0
  kube logs "$pod" "$@"
  "${words[@]}" 2>/dev/null || true
}

# follow: waits until the Job is over, and fails if the run failed. If it is interrupted, the run continues.
follow() {
  local end="" misses=0 since=1970-01-01T00:00:00Z next
  if [ "${FOLLOW:-1}" != 1 ]; then say "started: make status RUN=$RUN, make report RUN=$RUN" && return 0; fi
  kube delete job "$RUN"
  trap 'echo; say "the run continues: make status RUN=$RUN. To stop it: $(quote "${words[@]}")"; exit 130' INT
  say "following the controller's log; after Ctrl-C the run continues"
  while :; do
    if end=$(ending); then misses=0; else misses=$((misses + 1)); fi
    [ $misses -lt 20 ] || stop 75 "the cluster does not answer; the run continues: make status RUN=$RUN"
    [ -z "$end" ] || break
    next=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    print_log --follow "--since-time=$since"
    since=$next
    sleep 3
  done
  print_log "--since-time=$since"
  [ "$end" = Complete ]
}
