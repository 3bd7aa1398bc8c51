#!/usr/bin/env bash
# make deploy: creates in a Google Cloud project what `make run-all` needs. It can be repeated, and keeps what exists.
#   PROJECT, REGION, BACKENDS=kubernetes,cloudrun, BUILDER=cloud|docker|podman, YES=1, DRY_RUN=1
# Other settings are in terraform/terraform.tfvars.
set -euo pipefail
me=deploy
here=$(dirname -- "${BASH_SOURCE[0]}")
for part in lib tools deployment image overlay; do . "$here/$part.sh"; done
plan=.terraform/deploy.tfplan # in terraform/
prices=prices/google-us-central1.yaml
no_digest=sha256:$(printf '0%.0s' $(seq 64))

# tfvar NAME: prints a value of terraform.tfvars, a string or a list of strings in one line.
tfvar() {
  [ -e terraform/terraform.tfvars ] || return 0
  sed -n "s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*//p" terraform/terraform.tfvars | tail -n 1 | tr -d '"[] '
}

# choose_project: takes PROJECT, else the deployed project, else that of terraform.tfvars, else that of gcloud.
choose_project() {
  [ -z "$deployed_project" ] || [ -z "${PROJECT:-}" ] || [ "$PROJECT" = "$deployed_project" ] ||
    problem "PROJECT is $PROJECT, but this checkout's terraform state is of $deployed_project: make destroy first, or use another checkout"
  [ -z "$deployed_region" ] || [ -z "${REGION:-}" ] || [ "$REGION" = "$deployed_region" ] ||
    problem "REGION is $REGION, but the deployment is in $deployed_region, where its bucket stays: make destroy first"
  stop_on_problems 2
  PROJECT=${PROJECT:-${deployed_project:-$(tfvar project)}}
  if [ -z "$PROJECT" ] && has gcloud; then PROJECT=$(gcloud config get-value project 2>/dev/null) || PROJECT=""; fi
  check_inputs
  [ -n "$PROJECT" ] || if dry; then PROJECT=your-project; else problem "no project: make deploy PROJECT=… (gcloud projects list)"; fi
}

# choose_backends: takes BACKENDS, else those of terraform.tfvars, else those deployed, else Kubernetes. The region is REGION,
# else that of terraform.tfvars, else the deployed one, else terraform's default.
choose_backends() {
  local deployed=""
  [ -z "$deployed_kubernetes_cluster" ] || deployed=kubernetes
  [ -z "$deployed_cloudrun_worker_service_account" ] || deployed=${deployed:+$deployed,}cloudrun
  backends=${BACKENDS:-$(tfvar backends)}
  backends=${backends:-${deployed:-kubernetes}}
  region=${REGION:-}
  [ -n "$region" ] || [ -n "$(tfvar region)" ] || region=$deployed_region
}

# set_variables IMAGE: sets the array `variables` to terraform's flags.
set_variables() {
  variables=(-input=false "-var=project=$PROJECT" "-var=backends=[\"${backends//,/\",\"}\"]")
  [ -z "$region" ] || variables+=("-var=region=$region")
  [ -z "$1" ] || variables+=("-var=image=$1")
}

# price NAME QUANTITY: prints US\$ per month, from the price list.
price() { awk -v name="$1:" -v quantity="$2" '$1 == name && match($0, /usd: [0-9.]+/) { printf "$%.2f", substr($0, RSTART + 5, RLENGTH - 5) * quantity }' "$prices"; }

announce() {
  heading "What this creates in project $PROJECT${region:+, $region}, and what it costs at rest ($prices)"
  say "  a bucket         $(price storageMonth 1) per GB and month; 27 pairs have 648 GB with their training files: $(price storageMonth 648) per month"
  say "  a registry       cents, for the image"
  say "  accounts, roles  nothing"
  case $backends in *kubernetes*)
    if [ -n "$(tfvar existing_cluster)" ]; then say "  a namespace      nothing, in the cluster that terraform.tfvars names"; else
      say "  a GKE cluster    $(price autopilotCluster 730) per month; Google's free tier covers one cluster per billing account."
      say "                   Pods cost money during a run. To use your own cluster, set existing_cluster in terraform.tfvars"
    fi
    ;;
  esac
  case $backends in *cloudrun*) say "  Cloud Run jobs   nothing" ;; esac
}

make_plan() {
  set_variables "$deployed_image"
  cloud terraform -chdir=terraform plan "-out=$plan" "${variables[@]}" >&3
  dry || summary=$(terraform -chdir=terraform show -json "$plan" | "$(find_node)" scripts/cloud/read-terraform.mjs plan)
}

# of_plan NAME: prints the lines of the plan's summary with that name.
of_plan() { sed -n "s/^$1=//p" <<<"$summary"; }

describe_plan() {
  ! dry || return 0
  heading "What terraform changes (all of it: terraform -chdir=terraform show $plan)"
  of_plan line | sed 's/^/  /'
  [ -n "$(of_plan line)" ] || say "  nothing"
  say "cost at rest: $(of_plan cost)"
  ! of_plan line | grep -Eq "^(DELETE|REPLACE) $bucket_address\$" ||
    stop 2 "this would delete the bucket with its data: change terraform.tfvars back, or make destroy first"
  ! of_plan line | grep -Eq '^(DELETE|REPLACE) ' || ask "Delete these resources?"
}

# take_over_bucket: imports a bucket that `make destroy` kept, with its content, and plans again.
take_over_bucket() {
  local name=$PROJECT-widemerge
  if dry; then remark "only if make destroy has kept the bucket; then the plan again:"; else
    name=$(of_plan bucket)
    [ -n "$name" ] && gcloud storage buckets describe "gs://$name" "--project=$PROJECT" >/dev/null 2>&1 || return 0
    say "the bucket gs://$name exists already: it is used with its content"
  fi
  cloud terraform -chdir=terraform import "${variables[@]}" "$bucket_address" "$name"
  dry || make_plan
}

# provide_image: sets `image` to this commit's image, by digest. It builds and pushes the image if the registry lacks it.
provide_image() {
  local tag reference digest builder
  tag=$(image_tag) || stop 3 "this is not a git checkout, and the image is named after the commit: clone the repository"
  case $tag in *-dirty-*) say "the working tree differs from its commit: the image is called $tag" ;; esac
  reference=$deployed_repository/widemerge:$tag
  builder=$(choose_builder)
  if dry; then
    list_images
    show "$(quote "${words[@]}")"
    remark "only if that does not list the tag; the builder is $builder:"
    build_image "$reference" "$builder"
    remark "below, sha256:000… is in place of the digest that is listed with the tag"
    image=$deployed_repository/widemerge@$no_digest
    return
  fi
  digest=$(find_digest "$tag")
  if [ -z "$digest" ]; then
    build_image "$reference" "$builder"
    digest=$(find_digest "$tag")
  else say "the image $tag is in the registry"; fi
  [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || stop 1 "the registry does not list $reference after the push: found $(quote "$digest")"
  image=$deployed_repository/widemerge@$digest
}

check_inputs
if has terraform; then read_deployment; fi
choose_project
choose_backends
need_terraform
need_git
need_gcloud
case $backends in *kubernetes*) need_kubectl ;; esac
find_node >/dev/null || exit
missing_stops
exec 3>/dev/null
if dry; then exec 3>&1; fi

announce
ask "Create this?"
heading "Terraform"
# Without these services terraform cannot read a new project.
cloud gcloud services enable cloudresourcemanager.googleapis.com serviceusage.googleapis.com "--project=$PROJECT"
cloud terraform -chdir=terraform init -input=false >&3
if dry && has terraform && [ -d terraform/.terraform/providers ]; then terraform -chdir=terraform validate; fi
make_plan
take_over_bucket
describe_plan
cloud terraform -chdir=terraform apply -input=false "$plan"
dry || rm -f "terraform/$plan"
if ! dry || state_is_at_hand; then read_deployment; else suppose_deployment "$backends"; fi

heading "The image"
provide_image
# Cloud Run jobs need an image, so terraform creates them now. The next deployment starts with this image.
if [ "$image" != "$deployed_image" ]; then
  set_variables "$image"
  cloud terraform -chdir=terraform apply -auto-approve "${variables[@]}" >&3
fi

if [ -n "$deployed_kubernetes_cluster" ]; then
  heading "The manifests"
  use_cluster
  write_overlay "$image"
  apply_overlay
fi

heading "Next"
say "upload checkpoints to $deployed_input/<pair>/, for example: $(quote gcloud storage rsync --recursive checkpoints "$deployed_input")"
say "then: make run-all"
