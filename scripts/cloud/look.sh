# The beginning of status and report. They source this file after deployment.sh.
# shellcheck shell=bash
look() {
  check_inputs
  find_node >/dev/null || exit
  ! is_local || return 0
  need_terraform
  need_gcloud
  missing_stops
  need_deployment
  [ -z "$deployed_kubernetes_cluster" ] || need_kubectl
  missing_stops
  [ -z "$deployed_kubernetes_cluster" ] || use_cluster
}
