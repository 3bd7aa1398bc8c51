#!/usr/bin/env bash
# make run-all: merges the pairs where they were deployed to, follows the run, and fetches its report.
#   BACKEND=kubernetes|cloudrun|local, PAIRS=audusd,gbpusd, RUN, SPOT=1, CEILING=50GiB, INPUT, OUTPUT, FOLLOW=0, DRY_RUN=1
# Any other setting of `widemerge run-all --help` as its variable, for example WIDEMERGE_MAX_COST=20.
set -euo pipefail
me=run-all
here=$(dirname -- "${BASH_SOURCE[0]}")
for part in lib tools deployment follow fetch; do . "$here/$part.sh"; done

# What the deployment decides, what is set below, and what other scripts call their own.
not_passed=" CONFIG INPUT OUTPUT BACKEND IMAGE IMAGE_PULL_POLICY NAMESPACE KUBE_CONTEXT SERVICE_ACCOUNT PROJECT REGION RUN PAIRS
  CLOUD_RUN_SERVICE_ACCOUNT BASE DEBIAN CLUSTER CLUSTER_PORT "

# Settings of the run, in the array `settings`, each once; widemerge itself knows which names there are.
set_settings() {
  local name ceiling=${CEILING:-}
  # On this machine with as much memory as it has, unless somebody says how much.
  [ "$BACKEND" != local ] || ceiling=${ceiling:-${WIDEMERGE_MEMORY_CEILING:-auto}}
  [ -z "$ceiling" ] || not_passed="$not_passed MEMORY_CEILING MEMORY_WARN MEMORY_FREE DISK_FREE "
  [ -z "${SPOT:-}" ] || not_passed="$not_passed SPOT "
  settings=("WIDEMERGE_BACKEND=$BACKEND") # never empty: the oldest bash cannot write an empty list out
  for name in $(compgen -e WIDEMERGE_ || true); do
    case "${not_passed//$'\n'/ }" in *" ${name#WIDEMERGE_} "*) continue ;; esac
    case ${!name} in *[[:cntrl:]]* | *'|'*) stop 2 "$name holds a control character or |" ;; esac
    settings+=("$name=${!name}")
  done
  [ -z "$PAIRS" ] || settings+=("WIDEMERGE_PAIRS=$PAIRS")
  [ -z "$INPUT" ] || settings+=("WIDEMERGE_INPUT=$INPUT")
  [ -z "$OUTPUT" ] || settings+=("WIDEMERGE_OUTPUT=$OUTPUT")
  [ -z "${SPOT:-}" ] || settings+=("WIDEMERGE_SPOT=$([ "$SPOT" = 1 ] && echo true || echo false)")
  [ -z "$ceiling" ] || set_ceiling "$ceiling"
}

# The profile's other limits are meant for its own ceiling of 50 GiB.
set_ceiling() {
  settings+=("WIDEMERGE_MEMORY_CEILING=$1" "WIDEMERGE_MEMORY_WARN=${WIDEMERGE_MEMORY_WARN:-auto}"
    "WIDEMERGE_MEMORY_FREE=${WIDEMERGE_MEMORY_FREE:-0}" "WIDEMERGE_DISK_FREE=${WIDEMERGE_DISK_FREE:-auto}")
}

# A Job from the deployment's template, called as the run. One of that name that is over gives way: its run goes on.
run_on_kubernetes() {
  local template change create there end
  [ -n "$deployed_kubernetes_cluster" ] || stop 2 "the backend kubernetes is not deployed: make deploy BACKENDS=kubernetes"
  use_cluster
  kube create job "$RUN" --from=cronjob/run-all --dry-run=client --output=yaml
  template=("${words[@]}")
  change=(kubectl set env --local --filename=- --output=yaml "${settings[@]}")
  kube create --filename=-
  create=("${words[@]}")
  if dry; then
    show "$(quote "${template[@]}") | $(quote "${change[@]}") | $(quote "${create[@]}")"
    kube logs "job/$RUN" --follow
    show "$(quote "${words[@]}")"
    return
  fi
  kube get job "$RUN" --ignore-not-found --output=name
  there=$("${words[@]}")
  if [ -n "$there" ]; then
    end=$(ending)
    if [ -z "$end" ]; then
      say "the run $RUN goes on already"
      follow
      return
    fi
    kube delete job "$RUN"
    cloud "${words[@]}"
  fi
  "${template[@]}" | "${change[@]}" | "${create[@]}"
  follow
}

run_on_cloudrun() {
  local joined
  [ -n "$deployed_cloudrun_controller_job" ] || stop 2 "the backend cloudrun is not deployed: make deploy BACKENDS=kubernetes,cloudrun"
  settings+=("WIDEMERGE_RUN=$RUN")
  # Values may hold commas, so they are separated by |: gcloud topic escaping.
  joined=$(IFS='|' && echo "${settings[*]}")
  cloud gcloud run jobs execute "$deployed_cloudrun_controller_job" "--update-env-vars=^|^$joined" \
    "--region=$deployed_region" "--project=$deployed_project" "$([ "${FOLLOW:-1}" = 1 ] && echo --wait || echo --async)"
}

run_here() {
  [ -n "$INPUT" ] || settings+=("WIDEMERGE_INPUT=$deployed_input")
  [ -n "$OUTPUT" ] || settings+=("WIDEMERGE_OUTPUT=$deployed_output")
  words=(env "${settings[@]}" bin/widemerge run-all --config=profiles/27-pairs.yaml)
  [ -z "${RUN:-}" ] || words+=("--run=$RUN")
  if ! is_local; then cloud "${words[@]}"
  elif dry; then show "$(quote "${words[@]}")" && "${words[@]}" --dry-run
  else "${words[@]}"; fi
}

# Everything that is missing, at once; folders of this machine need no cloud.
check_tools() {
  find_node >/dev/null || exit
  if [ "${BACKEND:-}" = local ] && is_local; then
    [ -n "$INPUT" ] || stop 2 "OUTPUT is a folder of this machine, so say where the checkpoints are: INPUT=…"
    return 0
  fi
  need_terraform
  need_gcloud
  ! has terraform || read_deployment
  choose_backend
  [ "$BACKEND" != kubernetes ] || need_kubectl
  missing_stops
  need_deployment
}

# What was said, else what is deployed, Kubernetes first.
choose_backend() {
  [ -z "${BACKEND:-}" ] || return 0
  BACKEND=kubernetes
  [ -n "$deployed_kubernetes_cluster" ] || [ -z "$deployed_cloudrun_controller_job" ] || BACKEND=cloudrun
}

check_inputs
! is_local || [ "${BACKEND:-}" = local ] || stop 2 "OUTPUT is a folder of this machine, which only BACKEND=local can use"
check_tools
[ "$BACKEND" = local ] || RUN=${RUN:-$(date -u +%Y-%m-%d-%H%M%S)}
set_settings
heading "Run ${RUN:-(called by its day)} on $BACKEND"
# In a shell of its own: what fails in there ends it, and is looked at here.
set +e
(
  set -e
  case $BACKEND in
    kubernetes) run_on_kubernetes ;;
    cloudrun) run_on_cloudrun ;;
    local) run_here ;;
  esac
)
code=$?
set -e
# On this machine widemerge has said where its report is; and what did not begin has none.
if [ "${FOLLOW:-1}" != 1 ] || is_local; then exit "$code"; fi
if [ "$code" -eq 0 ]; then fetch_report; else fetch_report 2>/dev/null || exit "$code"; fi
heading "Report"
say "$file"
open_file "$file"
exit "$code"
