#!/usr/bin/env bash
# make destroy: takes back what make deploy made. The bucket stays, with checkpoints and training files, unless DELETE_DATA=1.
#   DELETE_DATA=1, YES=1, DRY_RUN=1
set -euo pipefail
me=destroy
here=$(dirname -- "${BASH_SOURCE[0]}")
for part in lib tools deployment; do . "$here/$part.sh"; done

describe() {
  heading "What goes from project $deployed_project, $deployed_region"
  [ -z "$deployed_kubernetes_cluster" ] ||
    say "  namespace $deployed_kubernetes_namespace of the cluster $deployed_kubernetes_cluster: runs that go on are stopped"
  if dry && ! state_is_at_hand; then say "  all that terraform has made: terraform -chdir=terraform state list"
  else terraform -chdir=terraform state list | grep -v "^data\.\|^$bucket_address\$" | sed 's/^/  /' || true; fi
  say "  the registry's images with it"
  if [ "${DELETE_DATA:-0}" = 1 ]; then say "  THE BUCKET gs://$deployed_bucket WITH ALL CHECKPOINTS, TRAINING FILES AND OLDER VERSIONS: it cannot be had back"
  else say "What stays: the bucket gs://$deployed_bucket with what is in it (DELETE_DATA=1: goes too); make deploy takes it over again."; fi
}

# Stopped first, so that no controller starts a Job while the rest goes.
stop_runs() {
  use_cluster
  kube delete namespace "$deployed_kubernetes_namespace" --ignore-not-found --timeout=5m
  cloud "${words[@]}" && return 0
  [ -z "$(terraform -chdir=terraform state list google_container_cluster.cluster)" ] ||
    { say "the cluster does not answer; it goes as a whole" && return 0; }
  stop 75 "the cluster $deployed_kubernetes_cluster, which stays, did not delete the namespace: see above, and try again"
}

in_state() { [ -n "$(terraform -chdir=terraform state list "$1" 2>/dev/null)" ]; }

# Terraform forgets the bucket: no plan of it can delete what took days to make.
forget_bucket() {
  if dry || in_state "$bucket_address"; then cloud terraform -chdir=terraform state rm "$bucket_address"; fi
}

# The same as what was deployed, so that nothing else is changed on the way.
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
  remark "GKE refuses to delete a cluster while it is protected:"
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
