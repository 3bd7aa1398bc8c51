# Reads from terraform's state what is deployed. Scripts source this file after lib.sh and tools.sh.
# shellcheck shell=bash
bucket_address=google_storage_bucket.data
names="project region bucket input output repository builder_service_account builder_sources image monthly_cost_at_rest kubernetes_cluster kubernetes_location
  kubernetes_context kubernetes_namespace kubernetes_dns_endpoint cloudrun_controller_job cloudrun_worker_service_account"
forget_deployment() {
  local name
  for name in $names; do printf -v "deployed_$name" %s ""; done
}
forget_deployment

# state_is_at_hand: the state is a local file, so it can be read without the cloud.
state_is_at_hand() { has terraform && [ -e terraform/terraform.tfstate ]; }

# reach_state: runs init if several people share the state through a backend_override.tf.
reach_state() {
  [ ! -d terraform/.terraform ] && grep -qs 'backend "' terraform/*.tf || return 0
  cloud terraform -chdir=terraform init -input=false >/dev/null || stop 3 "terraform cannot reach its state; its message is above"
}

read_deployment() {
  local node name value text
  if dry && ! state_is_at_hand; then return 0; fi
  forget_deployment
  reach_state
  node=$(find_node)
  text=$(terraform -chdir=terraform output -json) || stop 3 "terraform cannot read its state; its message is above"
  while IFS='=' read -r name value; do
    case " ${names//$'\n'/ } " in *" $name "*) printf -v "deployed_$name" %s "$value" ;; esac
  done <<<"$("$node" scripts/cloud/read-terraform.mjs outputs <<<"$text")"
}

# need_deployment: stops if nothing is deployed. A dry run continues with the names that `make deploy` would use.
need_deployment() {
  read_deployment
  [ -z "$deployed_project" ] || return 0
  dry || stop 2 "nothing is deployed from this checkout (terraform/ has no outputs): make deploy"
  remark "nothing is deployed from this checkout: the names below are those that make deploy would use"
  suppose_deployment "${BACKENDS:-kubernetes,cloudrun}"
}

# suppose_deployment BACKENDS: sets the names that a deployment would have.
suppose_deployment() {
  deployed_project=${PROJECT:-your-project}
  deployed_region=${REGION:-us-central1}
  deployed_bucket=$deployed_project-widemerge
  deployed_input=gs://$deployed_bucket/checkpoints
  deployed_output=gs://$deployed_bucket/training
  deployed_repository=$deployed_region-docker.pkg.dev/$deployed_project/widemerge
  deployed_builder_service_account=widemerge-builder@$deployed_project.iam.gserviceaccount.com
  deployed_builder_sources=gs://$deployed_bucket/.builds
  case $1 in *kubernetes*)
    deployed_kubernetes_cluster=widemerge deployed_kubernetes_location=$deployed_region
    deployed_kubernetes_context=gke_${deployed_project}_${deployed_region}_widemerge
    deployed_kubernetes_namespace=widemerge deployed_kubernetes_dns_endpoint=true
    ;;
  esac
  case $1 in *cloudrun*)
    deployed_cloudrun_controller_job=widemerge-controller
    deployed_cloudrun_worker_service_account=widemerge-worker@$deployed_project.iam.gserviceaccount.com
    ;;
  esac
}

# use_cluster: adds the cluster to kubectl's configuration, as the context `deployed_kubernetes_context`.
use_cluster() {
  if ! dry && kubectl config get-contexts "$deployed_kubernetes_context" -o name >/dev/null 2>&1; then return 0; fi
  words=(gcloud container clusters get-credentials "$deployed_kubernetes_cluster"
    "--location=$deployed_kubernetes_location" "--project=$deployed_project")
  # The cluster that terraform creates has only this endpoint.
  [ "$deployed_kubernetes_dns_endpoint" != true ] || words+=(--dns-endpoint)
  cloud "${words[@]}"
}

# kube COMMAND...: sets the array `words` to a kubectl command for the deployment's namespace.
kube() { words=(kubectl "--context=$deployed_kubernetes_context" "--namespace=$deployed_kubernetes_namespace" "$@"); }

# known_run COMMAND: sets the array `words` to `widemerge status` or `report` with the flags that find a run and its backend.
known_run() {
  words=(bin/widemerge "$1")
  [ -z "${RUN:-}" ] || words+=("$RUN")
  words+=("--output=${OUTPUT:-$deployed_output}")
  # Local folders need no cloud.
  case ${OUTPUT:-} in "" | gs://*) ;; *) return 0 ;; esac
  [ -z "$deployed_kubernetes_context" ] ||
    words+=("--kube-context=$deployed_kubernetes_context" "--namespace=$deployed_kubernetes_namespace")
  words=(env "WIDEMERGE_PROJECT=$deployed_project" "WIDEMERGE_REGION=$deployed_region" "${words[@]}")
}

# is_local: the outputs are in a local folder, so nothing needs to be deployed.
is_local() { case ${OUTPUT:-gs://} in gs://*) return 1 ;; *) return 0 ;; esac; }
