# The image of a deployment, named after its commit. Scripts source this file after lib.sh.
# shellcheck shell=bash

# The files in the image, as in .dockerignore. bash 3.2 has no better way to keep this list.
image_paths=".npmrc .dockerignore Dockerfile LICENSE bin data package-lock.json package.json prices profiles
  scripts/find-node.sh scripts/prune-packages.sh scripts/warm-up.sh src"

hash_lines() { if has sha256sum; then sha256sum; else shasum -a 256; fi; }

# image_tag: prints the commit, followed by a hash of the files in the image if they differ from the commit.
image_tag() {
  local commit changes
  commit=$(git rev-parse --short=12 HEAD) || return 1
  changes=$(git status --porcelain --untracked-files=all -- $image_paths) || return 1
  [ -n "$changes" ] || { echo "$commit" && return; }
  echo "$commit-dirty-$(git ls-files -z --cached --others --exclude-standard -- $image_paths |
    xargs -0 cksum 2>/dev/null | hash_lines | cut -c1-8)"
}

# list_images: sets the array `words` to a command that prints digest and tags of every image. It only needs permission to
# read; `images describe` also queries the scanner.
list_images() {
  words=(gcloud artifacts docker images list "$deployed_repository/widemerge" --include-tags "--project=$deployed_project"
    '--format=value(version,tags)')
}

# find_digest TAG: prints the digest of that tag in the registry, or nothing.
find_digest() {
  list_images
  "${words[@]}" | awk -F '\t' -v tag="$1" '{ n = split($2, tags, /[;,]/); for (i = 1; i <= n; i++) if (tags[i] == tag && !found++) print $1 }'
}

# choose_builder: prints BUILDER, else the engine of this machine if it builds for x86-64, else cloud, for Cloud Build.
choose_builder() {
  [ -z "${BUILDER:-}" ] || { echo "$BUILDER" && return; }
  [ "$(uname -m)" = x86_64 ] && scripts/image.sh engine 2>/dev/null || echo cloud
}

# build_image REFERENCE BUILDER: builds the image of this checkout and pushes it.
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
  # This logs in with a token that is valid for an hour, and leaves no credential helper in the engine's configuration.
  if dry; then
    show "gcloud auth print-access-token | $2 login --username oauth2accesstoken --password-stdin $(quote "$registry")"
  else
    gcloud auth print-access-token | "$2" login --username oauth2accesstoken --password-stdin "$registry" >/dev/null
  fi
  cloud "$2" push "$1"
}
