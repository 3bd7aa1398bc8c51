#!/usr/bin/env bash
# make run-all: merges the pairs on the deployed backend, follows the run, and fetches its report.
#   BACKEND=kubernetes|cloudrun|local, PAIRS=audusd,gbpusd, RUN, SPOT=1, CEILING=50GiB, INPUT, OUTPUT, FOLLOW=0, DRY_RUN=1
# Set any other setting of `widemerge run-all --help` through its variable, for example WIDEMERGE_MAX_COST=20.
set -euo pipefail
me=run-all
here=$(dirname -- "${BASH_SOURCE[0]}")
for part in lib tools deployment follow fetch; do . "$here/$part.sh"; done

# Variables that are not passed on: the deployment or the code below sets them, or they belong to other scripts.
not_passed=" CONFIG INPUT OUTPUT BACKEND IMAGE IMAGE_PULL_POLICY NAMESPACE KUBE_CONTEXT SERVICE_ACCOUNT PROJECT REGION RUN PAIRS
  CLOUD_RUN_SERVICE_ACCOUNT BASE DEBIAN CLUSTER CLUSTER_PORT "

# set_settings: sets the array `settings` to the settings of the run, each once. widemerge checks the names.
set_settings() {
  local name ceiling=${CEILING:-}
  # On this machine the default ceiling depends on its memory.
  [ "$BACKEND" != local ] || ceiling=${ceiling:-${WIDEMERGE_MEMORY_CEILING:-auto}}
  [ -z "$ceiling" ] || not_passed="$not_passed MEMORY_CEILING MEMORY_WARN MEMORY_FREE DISK_FREE "
  [ -z "${SPOT:-}" ] || not_passed="$not_passed SPOT "
  settings=("WIDEMERGE_BACKEND=$BACKEND") # Never empty: bash 3.2 cannot expand an empty array.
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

# The other limits of the profile are for its ceiling of 50 GiB.
set_ceiling() {
  settings+=("WIDEMERGE_MEMORY_CEILING=$1" "WIDEMERGE_MEMORY_WARN=${WIDEMERGE_MEMORY_WARN:-auto}"
    "WIDEMERGE_MEMORY_FREE=${WIDEMERGE_MEMORY_FREE:-0}" "WIDEMERGE_DISK_FREE=${WIDEMERGE_DISK_FREE:-auto}")
}

# run_on_kubernetes: creates a Job from the deployment's template, named after the run. It replaces a finished Job of that name,
# and so continues its run.
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
      say "the run $RUN is already running"
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
  # Values may contain commas, so | separates them: gcloud topic escaping.
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

# check_tools: reports everything that is missing, at once. Local folders need no cloud.
check_tools() {
  find_node >/dev/null || exit
  if [ "${BACKEND:-}" = local ] && is_local; then
    [ -n "$INPUT" ] || stop 2 "OUTPUT is a local folder, so INPUT must name the folder of the checkpoints"
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

# choose_backend: takes BACKEND, else what is deployed, Kubernetes first.
choose_backend() {
  [ -z "${BACKEND:-}" ] || return 0
  BACKEND=kubernetes
  [ -n "$deployed_kubernetes_cluster" ] || [ -z "$deployed_cloudrun_controller_job" ] || BACKEND=cloudrun
}

check_inputs
! is_local || [ "${BACKEND:-}" = local ] || stop 2 "OUTPUT is a local folder, which only BACKEND=local can use"
check_tools
[ "$BACKEND" = local ] || RUN=${RUN:-$(date -u +%Y-%m-%d-%H%M%S)}
set_settings
heading "Run ${RUN:-(named after today)} on $BACKEND"
# A failure ends this subshell only; its exit code is checked below.
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
# A local run has printed where its report is, and a run that did not start has none.
if [ "${FOLLOW:-1}" != 1 ] || is_local; then exit "$code"; fi
if [ "$code" -eq 0 ]; then fetch_report; else fetch_report 2>/dev/null || exit "$code"; fi
heading "Report"
say "$file"
open_file "$file"
exit "$code"
