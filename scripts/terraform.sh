#!/usr/bin/env bash
# Checks the Terraform module in terraform/ without a project of Google Cloud.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.."
usage="usage: scripts/terraform.sh COMMAND
  install         install checkov, and the google provider by 'terraform init'
  check           format, validation against the provider's schema, tests with a mock provider, policy scan
  run ARG...      terraform ARG... in terraform/, with the same tools as check
Terraform is the one in PATH, or the one that tools/terraform.sh built. The provider is the one in the folder
\$WIDEMERGE_GOOGLE_PROVIDER, the one that 'terraform init' installed, or the one that tools/terraform.sh built.
Exit codes of check: 1 a check failed, 3 something is missing on this machine; the messages name it."
export CHECKPOINT_DISABLE=1 # Neither terraform nor its provider asks its maker for new versions.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/widemerge
module=terraform
checkov_version=3.3.30
checkov=$cache/checkov-$checkov_version
get_terraform="install it (https://developer.hashicorp.com/terraform/install), or build it from source: tools/terraform.sh terraform"
get_provider="allow access to registry.terraform.io and run scripts/terraform.sh install, build it from source with tools/terraform.sh provider, or name a folder with a terraform-provider-google in WIDEMERGE_GOOGLE_PROVIDER"
get_checkov="scripts/terraform.sh install (it needs Python 3.9 or newer with venv; Debian: apt-get install python3-venv)"

say() { echo "terraform: $*" >&2; }

# from_source LINE: what tools/terraform.sh has built; 1 is the path of terraform, 2 the folder of the provider.
from_source() { tools/terraform.sh built | sed -n "$1p"; }

find_terraform() { command -v terraform 2>/dev/null || from_source 1; }

is_initialized() { [ -n "$(find "$module/.terraform/providers" -path '*hashicorp/google/*' -name 'terraform-provider-google*' 2>/dev/null | head -n 1)" ]; }

# find_override: prints the folder of a provider for dev_overrides, or nothing if `terraform init` has installed one.
find_override() {
  local folder=${WIDEMERGE_GOOGLE_PROVIDER:-}
  [ -n "$folder" ] || is_initialized || folder=$(from_source 2)
  [ -z "$folder" ] || [ ! -x "$folder/terraform-provider-google" ] || realpath "$folder"
}

has_provider() { is_initialized || [ -n "$(find_override)" ]; }

# run_terraform ARG...: runs terraform in the module's folder. With dev_overrides terraform needs no init, and warns each time.
run_terraform() {
  local folder program
  program=$(find_terraform)
  [ -n "$program" ] || { say "terraform is missing: $get_terraform"; return 3; }
  folder=$(find_override)
  [ -n "$folder" ] || { "$program" -chdir="$module" "$@"; return; }
  TF_CLI_CONFIG_FILE=$cache/terraform-$$.tfrc
  trap 'rm -f "$TF_CLI_CONFIG_FILE"' EXIT
  mkdir -p "$cache"
  printf 'provider_installation {\n  dev_overrides {\n    "hashicorp/google" = "%s"\n  }\n  direct {}\n}\n' "$folder" >"$TF_CLI_CONFIG_FILE"
  TF_CLI_CONFIG_FILE=$TF_CLI_CONFIG_FILE "$program" -chdir="$module" "$@"
}

install_provider() {
  local program
  ! has_provider || return 0
  program=$(find_terraform)
  [ -n "$program" ] || { say "terraform is missing: $get_terraform"; return 3; }
  timeout 300 "$program" -chdir="$module" init -backend=false -input=false >&2 || { say "the google provider is missing: $get_provider"; return 3; }
}

install_checkov() {
  [ ! -e "$checkov/installed" ] || return 0
  python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || { say "checkov is missing: $get_checkov"; return 3; }
  say "installing checkov $checkov_version"
  python3 -m venv --clear "$checkov" && "$checkov/bin/pip" install --quiet --disable-pip-version-check "checkov==$checkov_version" >&2 || { say "pip cannot install checkov $checkov_version"; return 3; }
  touch "$checkov/installed"
}

install() {
  local missing=0
  install_provider || missing=3
  install_checkov || missing=3
  return "$missing"
}

plain=-no-color
if [ -t 1 ]; then plain=; fi
worst=0
# step NAME COMMAND...: runs a check. A check that fails does not stop the next ones.
step() {
  local name=$1
  shift
  if "$@"; then echo "ok      $name"; else echo "FAILED  $name"; worst=1; fi
}

skip() {
  echo "SKIPPED $1: $2"
  [ "$worst" = 1 ] || worst=3
}

# check_message: a ceiling that Cloud Run cannot have is refused with a message that says so.
check_message() {
  local said
  said=$(run_terraform test -json -test-directory=tests/messages) && return 1
  grep -q 'the ceiling of 50 GiB in profiles/27-pairs.yaml cannot be had there' <<<"$said" || { echo "$said" >&2; return 1; }
}

# Without --skip-download checkov asks its maker's server for more checks.
scan() { "$checkov/bin/python" -m checkov.main --directory "$module" --framework terraform --skip-download --quiet --compact; }

check() {
  if [ -z "$(find_terraform)" ]; then
    skip "terraform fmt, validate and test" "terraform is missing: $get_terraform"
  else
    step "terraform fmt" run_terraform fmt -check -recursive -diff
    if has_provider; then
      step "terraform validate" run_terraform validate $plain
      step "terraform test" run_terraform test $plain
      step "the message about 50 GiB on Cloud Run" check_message
    else
      skip "terraform validate and test" "the google provider is missing: $get_provider"
    fi
  fi
  if [ -e "$checkov/installed" ]; then step "checkov" scan; else skip "checkov" "it is missing: $get_checkov"; fi
  return "$worst"
}

case ${1:-help} in
  install) install ;;
  check) check ;;
  run) shift && run_terraform "$@" ;;
  help | --help | -h) echo "$usage" ;;
  *) echo "$usage" >&2; exit 2 ;;
esac
