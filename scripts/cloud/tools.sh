# What must be on this machine, and how it gets there; sourced after lib.sh. Problems are collected, not told.
# shellcheck shell=bash
has() { command -v "$1" >/dev/null 2>&1; }

need_terraform() { has terraform || problem "terraform is missing: https://developer.hashicorp.com/terraform/install"; }
need_git() { has git || problem "git is missing: it names the image after its commit"; }

need_gcloud() {
  # Credentials are looked at only where they will be used.
  if dry; then
    remark "who you are, for gcloud, and for terraform and widemerge:"
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
    problem "there are no application default credentials, which terraform and widemerge use: gcloud auth application-default login"
}

need_kubectl() {
  has kubectl || problem "kubectl is missing: gcloud components install kubectl (or https://kubernetes.io/docs/tasks/tools)"
  has gke-gcloud-auth-plugin ||
    problem "gke-gcloud-auth-plugin is missing, by which kubectl reaches GKE: gcloud components install gke-gcloud-auth-plugin (Debian: apt-get install google-cloud-cli-gke-gcloud-auth-plugin)"
}

# missing_stops: what is missing ends the script; a dry run names it and goes on.
missing_stops() {
  local text
  if dry && [ ${#problems[@]} -gt 0 ]; then
    for text in "${problems[@]}"; do remark "MISSING: $text"; done
    problems=()
  fi
  stop_on_problems 3
}
