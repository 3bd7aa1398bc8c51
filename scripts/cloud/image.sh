# The image of a deployment: named after the commit, built where it is not in the registry yet; sourced after lib.sh.
# shellcheck shell=bash

# What the image is made of, see .dockerignore; bash 3.2 has no other way to keep a list.
image_paths=".npmrc .dockerignore Dockerfile LICENSE bin data package-lock.json package.json prices profiles
  scripts/find-node.sh scripts/prune-packages.sh scripts/warm-up.sh src"

hash_lines() { if has sha256sum; then sha256sum; else shasum -a 256; fi; }

# The commit, and a hash of what goes into the image where that differs from the commit.
image_tag() {
  local commit changes
  commit=$(git rev-parse --short=12 HEAD) || return 1
  changes=$(git status --porcelain --untracked-files=all -- $image_paths) || return 1
  [ -n "$changes" ] || { echo "$commit" && return; }
  echo "$commit-dirty-$(git ls-files -z --cached --others --exclude-standard -- $image_paths |
    xargs -0 cksum 2>/dev/null | hash_lines | cut -c1-8)"
}

# list_images: the words of a command that prints digest and tags of every image, in the array `words`. Needs the right to
# read only; `images describe` would ask the scanner as well.
list_images() {
  words=(gcloud artifacts docker images list "$deployed_repository/widemerge" --include-tags "--project=$deployed_project"
    '--format=value(version,tags)')
}

# find_digest TAG: the digest of that tag in the registry, nothing where it is not there.
find_digest() {
  list_images
  "${words[@]}" | awk -F '\t' -v tag="$1" '{ n = split($2, tags, /[;,]/); for (i = 1; i <= n; i++) if (tags[i] == tag && !found++) print $1 }'
}

# What builds: BUILDER, else an engine here that answers and builds for the cloud's processors, else Cloud Build.
choose_builder() {
  [ -z "${BUILDER:-}" ] || { echo "$BUILDER" && return; }
  [ "$(uname -m)" = x86_64 ] && scripts/image.sh engine 2>/dev/null || echo cloud
}

# build_image REFERENCE BUILDER: builds the checkout's image and pushes it.
build_image() {
  local registry=${1%%/*}
  if [ "$2" = cloud ]; then
    cloud gcloud services enable cloudbuild.googleapis.com "--project=$deployed_project"
    cloud gcloud builds submit . "--project=$deployed_project" --config=scripts/cloud/cloudbuild.yaml \
      --ignore-file=scripts/cloud/gcloudignore "--gcs-source-staging-dir=$deployed_builder_sources" \
      "--substitutions=_IMAGE=$1,_REVISION=$(git rev-parse HEAD),_BUILDER=$deployed_builder_service_account"
    return
  fi
  cloud scripts/image.sh build "$1"
  # A token of an hour, so that no helper stays in the engine's configuration.
  if dry; then
    show "gcloud auth print-access-token | $2 login --username oauth2accesstoken --password-stdin $(quote "$registry")"
  else
    gcloud auth print-access-token | "$2" login --username oauth2accesstoken --password-stdin "$registry" >/dev/null
  fi
  cloud "$2" push "$1"
}
