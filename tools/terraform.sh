#!/usr/bin/env bash
# Terraform and its google provider, built from their Go modules for a machine that cannot download them.
set -euo pipefail
usage="usage: tools/terraform.sh COMMAND
  terraform       build terraform into the cache, unless it is there, and print its path
  provider        build the google provider into the cache, unless it is there, and print its folder
  built           print what is in the cache: the path of terraform, then the folder of the provider; an empty line for none
scripts/terraform.sh uses what is in the cache. Exit code 3: it cannot be built on this machine; the messages say why."
cache=${XDG_CACHE_HOME:-$HOME/.cache}/widemerge

terraform_version=1.11.4
# Some packages of terraform are Go modules of their own, which its go.mod replaces by folders: their version is its commit.
terraform_parts=v0.0.0-20250409131005-35645b8fca68
provider_version=7.39.0
# The path of the provider's module has no /v7, so Go knows its releases only by their commits. Not every module proxy has
# every commit, and the public checksum database has none of them: these sums are those of the tag v7.39.0.
provider_module=github.com/hashicorp/terraform-provider-google
provider_commit=v1.20.1-0.20260630172028-e40b75688dfe
provider_sums="$provider_module $provider_commit h1:DCiDpuKHR+z8Yemjs++AefSYs8f1GqG9WcKpVMuHvBY=
$provider_module $provider_commit/go.mod h1:Go0i6nOUNmZJ55waLW59iZ8akvO+In5ztKOb3DwNiAM="

built_terraform=$cache/terraform-$terraform_version
built_provider=$cache/terraform-provider-google-$provider_version

say() { echo "terraform: $*" >&2; }

# build NAME FOLDER: runs prepare_NAME in an empty Go module, builds the tool that it names, and keeps it in FOLDER.
build() {
  local work
  command -v go >/dev/null 2>&1 || { say "Go, which builds $1, is not installed: https://go.dev/dl"; return 3; }
  say "building $1 from its Go module; this takes minutes and up to 4 GB of memory, once"
  work=$(mktemp -d)
  if (cd "$work" && go mod init "widemerge.test/$1" 2>/dev/null && "prepare_$1") >&2; then
    mkdir -p "$2"
    mv "$work/$1" "$2/"
    rm -rf "$work"
  else
    rm -rf "$work"
    say "$1 cannot be built: it needs a Go module proxy (go env GOPROXY) that has the versions in tools/terraform.sh"
    return 3
  fi
}

prepare_terraform() {
  local part
  go mod edit -require "github.com/hashicorp/terraform@v$terraform_version" -tool github.com/hashicorp/terraform
  for part in legacy backend/remote-state/{azure,consul,cos,gcs,kubernetes,oss,pg,s3}; do
    go mod edit -replace "github.com/hashicorp/terraform/internal/$part=github.com/hashicorp/terraform/internal/$part@$terraform_parts"
  done
  nice go build -mod=mod -p 2 -trimpath -ldflags '-s -w -X github.com/hashicorp/terraform/version.dev=no' -o terraform github.com/hashicorp/terraform
}

prepare_terraform-provider-google() {
  echo "$provider_sums" >go.sum
  go mod edit -require "$provider_module@$provider_commit" -tool "$provider_module"
  nice go build -mod=mod -p 2 -trimpath -ldflags '-s -w' -o terraform-provider-google "$provider_module"
}

has_terraform() { [ -x "$built_terraform/terraform" ]; }
has_provider() { [ -x "$built_provider/terraform-provider-google" ]; }

case ${1:-help} in
  terraform)
    has_terraform || build terraform "$built_terraform"
    echo "$built_terraform/terraform"
    ;;
  provider)
    has_provider || build terraform-provider-google "$built_provider"
    echo "$built_provider"
    ;;
  built)
    if has_terraform; then echo "$built_terraform/terraform"; else echo; fi
    if has_provider; then echo "$built_provider"; else echo; fi
    ;;
  help | --help | -h) echo "$usage" ;;
  *) echo "$usage" >&2; exit 2 ;;
esac
