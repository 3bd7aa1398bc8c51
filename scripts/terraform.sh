#!/usr/bin/env bash
# The Terraform module in terraform/: brings the tools, and checks it without a project.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.."
usage="usage: scripts/terraform.sh COMMAND
  install         bring what is missing of terraform, the google provider and checkov
  check           formatting, validation against the provider's schema, tests with a mock provider, policy scan
  run ARG...      terraform ARG... in terraform/, with the tools that install brought
The provider comes from its registry by \`terraform init\`; where that cannot be reached, it is built from its Go module and
used by dev_overrides, without init. \$WIDEMERGE_GOOGLE_PROVIDER names a folder with a terraform-provider-google of your own.
Exit codes of check: 1 a check failed, 3 something is missing on this machine, named."
# Neither asks its maker for news.
export CHECKPOINT_DISABLE=1
cache=${XDG_CACHE_HOME:-$HOME/.cache}/widemerge
module=terraform

terraform_version=1.11.4
# Parts of terraform are modules that its own release leaves out of the Go module: they are named by its commit.
terraform_parts=v0.0.0-20250409131005-35645b8fca68
provider_version=7.39.0
# The module's path carries no /v7, so that Go knows its releases by commit alone. Not every mirror has every commit, and
# the public list of sums has none of them: these are those of the tag v7.39.0.
provider_module=github.com/hashicorp/terraform-provider-google
provider_commit=v1.20.1-0.20260630172028-e40b75688dfe
provider_sums="$provider_module $provider_commit h1:DCiDpuKHR+z8Yemjs++AefSYs8f1GqG9WcKpVMuHvBY=
$provider_module $provider_commit/go.mod h1:Go0i6nOUNmZJ55waLW59iZ8akvO+In5ztKOb3DwNiAM="
checkov_version=3.3.30

built_terraform=$cache/terraform-$terraform_version
built_provider=$cache/terraform-provider-google-$provider_version
checkov=$cache/checkov-$checkov_version

say() { echo "terraform: $*" >&2; }

find_terraform() {
  command -v terraform 2>/dev/null && return
  [ -x "$built_terraform/terraform" ] && echo "$built_terraform/terraform"
}

# The folder of a provider to use by dev_overrides; nothing where `terraform init` brought one, or none is there.
find_provider() {
  local folder
  for folder in "${WIDEMERGE_GOOGLE_PROVIDER:-}" "$built_provider"; do
    [ -n "$folder" ] && [ -x "$folder/terraform-provider-google" ] && { realpath "$folder"; return; }
  done
  return 0
}

is_initialized() { [ -n "$(find "$module/.terraform/providers" -path '*hashicorp/google/*' -name 'terraform-provider-google*' 2>/dev/null | head -n 1)" ]; }

# terraform ARG... in the module's folder. With dev_overrides it must not be initialized, and warns of it each time.
run_terraform() {
  local folder program
  program=$(find_terraform) || { say "no terraform here: scripts/terraform.sh install"; return 3; }
  folder=$(find_provider)
  [ -n "$folder" ] || { "$program" -chdir="$module" "$@"; return; }
  TF_CLI_CONFIG_FILE=$cache/terraform-$$.tfrc
  trap 'rm -f "$TF_CLI_CONFIG_FILE"' EXIT
  mkdir -p "$cache"
  printf 'provider_installation {\n  dev_overrides {\n    "hashicorp/google" = "%s"\n  }\n  direct {}\n}\n' "$folder" >"$TF_CLI_CONFIG_FILE"
  TF_CLI_CONFIG_FILE=$TF_CLI_CONFIG_FILE "$program" -chdir="$module" "$@"
}

need_go() { command -v go >/dev/null 2>&1 || { say "no Go here, which would build $1: https://go.dev/dl"; return 3; }; }

build_terraform() {
  local work part
  need_go terraform || return
  say "building terraform $terraform_version from its Go module; this takes minutes, once"
  work=$(mktemp -d)
  (
    cd "$work"
    go mod init widemerge/terraform 2>/dev/null
    go mod edit -require "github.com/hashicorp/terraform@v$terraform_version" -tool github.com/hashicorp/terraform
    for part in legacy backend/remote-state/{azure,consul,cos,gcs,kubernetes,oss,pg,s3}; do
      go mod edit -replace "github.com/hashicorp/terraform/internal/$part=github.com/hashicorp/terraform/internal/$part@$terraform_parts"
    done
    go build -mod=mod -p 2 -trimpath -ldflags '-s -w -X github.com/hashicorp/terraform/version.dev=no' -o "$work/terraform" github.com/hashicorp/terraform
  ) >&2 || { rm -rf "$work"; return 3; }
  mkdir -p "$built_terraform"
  mv "$work/terraform" "$built_terraform/terraform"
  rm -rf "$work"
}

build_provider() {
  local work
  need_go "the google provider" || return
  say "building the google provider $provider_version from its Go module; this takes ten minutes or more and up to 4 GB of memory, once"
  work=$(mktemp -d)
  (
    cd "$work"
    go mod init widemerge/provider 2>/dev/null
    echo "$provider_sums" >go.sum
    go mod edit -require "$provider_module@$provider_commit" -tool "$provider_module"
    go build -mod=mod -p 2 -trimpath -ldflags '-s -w' -o "$work/terraform-provider-google" "$provider_module"
  ) >&2 || { rm -rf "$work"; return 3; }
  mkdir -p "$built_provider"
  mv "$work/terraform-provider-google" "$built_provider/"
  rm -rf "$work"
}

install_provider() {
  [ -n "$(find_provider)" ] && return
  is_initialized && return
  timeout 300 "$(find_terraform)" -chdir="$module" init -backend=false -input=false >&2 && return
  say "its registry cannot be reached"
  build_provider
}

install_checkov() {
  [ -e "$checkov/installed" ] && return
  python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || { say "no Python 3.9 or newer with venv here, which checkov needs (Debian: apt-get install python3-venv)"; return 3; }
  say "installing checkov $checkov_version"
  python3 -m venv --clear "$checkov" && "$checkov/bin/pip" install --quiet --disable-pip-version-check "checkov==$checkov_version" >&2 || return 3
  touch "$checkov/installed"
}

install() {
  local missing=0
  find_terraform >/dev/null || build_terraform || { say "missing: terraform $terraform_version (https://developer.hashicorp.com/terraform/install)"; missing=3; }
  if find_terraform >/dev/null; then
    install_provider || { say "missing: the google provider: allow access to registry.terraform.io or to a Go module proxy that has $provider_module $provider_commit, or name the folder of one in WIDEMERGE_GOOGLE_PROVIDER"; missing=3; }
  fi
  install_checkov || { say "missing: checkov $checkov_version"; missing=3; }
  return "$missing"
}

# Colours are for people.
plain=-no-color
[ -t 1 ] && plain=
worst=0
# step NAME COMMAND...: a check that fails does not keep the others from being seen.
step() {
  local name=$1
  shift
  if "$@"; then echo "ok      $name"; else echo "FAILED  $name"; worst=1; fi
}

skip() {
  echo "SKIPPED $1: $2"
  [ "$worst" = 1 ] || worst=3
}

# What is said of a ceiling that Cloud Run cannot give.
check_message() {
  local said
  said=$(run_terraform test -json -test-directory=tests/messages) && return 1
  grep -q 'the ceiling of 50 GiB in profiles/27-pairs.yaml cannot be had there' <<<"$said" || { echo "$said" >&2; return 1; }
}

# Without --skip-download it would ask its maker's server for more.
scan() { "$checkov/bin/python" -m checkov.main --directory "$module" --framework terraform --skip-download --quiet --compact; }

check() {
  local get="scripts/terraform.sh install"
  if find_terraform >/dev/null; then
    step "terraform fmt" run_terraform fmt -check -recursive -diff
    if [ -n "$(find_provider)" ] || is_initialized; then
      step "terraform validate" run_terraform validate $plain
      step "terraform test" run_terraform test $plain
      step "what is said of 50 GiB on Cloud Run" check_message
    else
      skip "terraform validate and test" "the google provider is not here: $get"
    fi
  else
    skip "terraform fmt, validate and test" "terraform is not here: $get"
  fi
  if [ -e "$checkov/installed" ]; then step "checkov" scan; else skip "checkov" "it is not here: $get"; fi
  return "$worst"
}

case ${1:-help} in
  install) install ;;
  check) check ;;
  run) shift && run_terraform "$@" ;;
  help | --help | -h) echo "$usage" ;;
  *) echo "$usage" >&2; exit 2 ;;
esac
