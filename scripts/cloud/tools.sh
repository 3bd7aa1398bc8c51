# The programs that the scripts need, and how to install them. Scripts source this file after lib.sh; it only collects problems.
# shellcheck shell=bash
has() { command -v "$1" >/dev/null 2>&1; }

need_terraform() { has terraform || problem "terraform is missing: https://developer.hashicorp.com/terraform/install"; }
need_git() { has git || problem "git is missing: it names the image after its commit"; }

need_gcloud() {
  # A dry run does not look at credentials.
  if dry; then
    remark "credentials of gcloud, and those of terraform and widemerge:"
    show "gcloud auth list --filter=status:ACTIVE '--format=value(account)'"
    show "gcloud auth application-default print-access-token >/dev/null"
  fi
  has gcloud || {
    problem "gcloud is missing: https://cloud.google.com/sdk/docs/install, then: gcloud auth login && gcloud auth application-default login"
    return 0
  }
  ! dry || return 0
  [ -n "$(gcloud auth list --filter=status:ACTIVE '--format=value(account)' 2>/dev/null)" ] ||
    problem "gcloud has no account: gcloud auth login"
  gcloud auth application-default print-access-token >/dev/null 2>&1 ||
    problem "application default credentials, which terraform and widemerge use, are missing: gcloud auth application-default login"
}

need_kubectl() {
  has kubectl || problem "kubectl is missing: gcloud components install kubectl (or https://kubernetes.io/docs/tasks/tools)"
  has gke-gcloud-auth-plugin ||
    problem "gke-gcloud-auth-plugin is missing; kubectl needs it for GKE: gcloud components install gke-gcloud-auth-plugin (Debian: apt-get install google-cloud-cli-gke-gcloud-auth-plugin)"
}

# missing_stops: exits if something is missing. A dry run names it and continues.
missing_stops() {
  local text
  if dry && [ ${#problems[@]} -gt 0 ]; then
    for text in "${problems[@]}"; do remark "MISSING: $text"; done
    problems=()
  fi
  stop_on_problems 3
}
