#!/usr/bin/env bash
# make destroy: deletes what make deploy created. The bucket stays, with checkpoints and training files, unless DELETE_DATA=1.
#   DELETE_DATA=1, YES=1, DRY_RUN=1
set -euo pipefail
me=destroy
here=$(dirname -- "${BASH_SOURCE[0]}")
for part in lib tools deployment; do . "$here/$part.sh"; done

describe() {
  heading "What will be deleted in project $deployed_project, $deployed_region"
  [ -z "$deployed_kubernetes_cluster" ] ||
    say "  namespace $deployed_kubernetes_namespace of the cluster $deployed_kubernetes_cluster; this stops its runs"
  if dry && ! state_is_at_hand; then say "  all that terraform created: terraform -chdir=terraform state list"
  else terraform -chdir=terraform state list | grep -v "^data\.\|^$bucket_address\$" | sed 's/^/  /' || true; fi
  say "  the images in the registry"
  if [ "${DELETE_DATA:-0}" = 1 ]; then say "  THE BUCKET gs://$deployed_bucket WITH ALL CHECKPOINTS, TRAINING FILES AND OLDER VERSIONS. This cannot be undone"
  else say "What stays: the bucket gs://$deployed_bucket with its content (DELETE_DATA=1 deletes it too). make deploy uses it again."; fi
}

# stop_runs: deletes the namespace first, so that no controller starts a Job while terraform deletes the rest.
stop_runs() {
  use_cluster
  kube delete namespace "$deployed_kubernetes_namespace" --ignore-not-found --timeout=5m
  cloud "${words[@]}" && return 0
  [ -z "$(terraform -chdir=terraform state list google_container_cluster.cluster)" ] ||
    { say "the cluster does not answer; terraform deletes it as a whole" && return 0; }
  stop 75 "the cluster $deployed_kubernetes_cluster, which is not part of the deployment, did not delete the namespace; see the message above, and try again"
}

in_state() { [ -n "$(terraform -chdir=terraform state list "$1" 2>/dev/null)" ]; }

# forget_bucket: removes the bucket from the state, so that terraform cannot delete data that took days to make.
forget_bucket() {
  if dry || in_state "$bucket_address"; then cloud terraform -chdir=terraform state rm "$bucket_address"; fi
}

# set_variables: uses the deployed values, so that terraform changes nothing else.
set_variables() {
  local backends=""
  [ -z "$deployed_kubernetes_cluster" ] || backends='"kubernetes"'
  [ -z "$deployed_cloudrun_worker_service_account" ] || backends="${backends:+$backends,}\"cloudrun\""
  variables=(-input=false -auto-approve "-var=project=$deployed_project" "-var=region=$deployed_region"
    "-var=backends=[$backends]" -var=deletion_protection=false)
  [ -z "$deployed_image" ] || variables+=("-var=image=$deployed_image")
}

check_inputs
need_terraform
need_gcloud
has terraform && read_deployment
[ -z "$deployed_kubernetes_cluster" ] || need_kubectl
find_node >/dev/null || exit
missing_stops
need_deployment
[ -z "${PROJECT:-}" ] || [ "$PROJECT" = "$deployed_project" ] ||
  stop 2 "PROJECT is $PROJECT, but what is deployed from this checkout is in $deployed_project"

describe
ask "Destroy this?"
heading "Destroying"
set_variables
if [ -n "$deployed_kubernetes_cluster" ]; then
  stop_runs
  remark "GKE does not delete a protected cluster:"
  if dry || in_state google_container_cluster.cluster; then
    cloud terraform -chdir=terraform apply "${variables[@]}" -target=google_container_cluster.cluster
  fi
fi
forget_bucket
cloud terraform -chdir=terraform destroy "${variables[@]}"
rm -rf k8s/deployed
if [ "${DELETE_DATA:-0}" = 1 ]; then
  remark "the bucket, last, with every version of every object:"
  cloud gcloud storage rm --recursive "gs://$deployed_bucket" "--project=$deployed_project"
else
  say "kept: gs://$deployed_bucket, $(quote gcloud storage rm --recursive "gs://$deployed_bucket") deletes it"
fi
