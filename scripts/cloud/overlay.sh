# The kustomization of a deployment, generated into k8s/deployed/, which git is told to ignore; sourced after
# deployment.sh.
# shellcheck shell=bash
overlay=k8s/deployed
! dry || overlay=k8s/dry-run # what is deployed stays as it is

# write_overlay IMAGE@DIGEST: the overlay gke-autopilot with this deployment's image and places, and no run of its own.
write_overlay() {
  local published
  published=$(sed -n 's/^ *newName: //p' k8s/overlays/gke-autopilot/kustomization.yaml)
  mkdir -p "$overlay"
  echo '*' >"$overlay/.gitignore"
  cat >"$overlay/settings.env" <<SETTINGS
WIDEMERGE_INPUT=$deployed_input
WIDEMERGE_OUTPUT=$deployed_output
# What all lines of a run's log stand under in Cloud Logging.
WIDEMERGE_PROJECT=$deployed_project
SETTINGS
  cat >"$overlay/kustomization.yaml" <<OVERLAY
# Made by \`make deploy\`, and made anew by the next one.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: $deployed_kubernetes_namespace
resources: [../overlays/gke-autopilot]
components: [../components/on-demand]
configMapGenerator:
  - name: settings
    behavior: merge
    envs: [settings.env]
patches:
  # A run is a Job of its own, made from the CronJob when it is started.
  - target: { kind: Job, name: all-pairs }
    patch: |
      \$patch: delete
      apiVersion: batch/v1
      kind: Job
      metadata: { name: all-pairs }
images:
  - name: $published
    newName: ${1%@*}
    digest: ${1#*@}
replacements:
  # Workers run the controller's own image.
  - source:
      kind: CronJob
      name: run-all
      fieldPath: "spec.jobTemplate.spec.template.spec.containers.[name=controller].image"
    targets:
      - select: { kind: CronJob, name: run-all }
        fieldPaths: ["spec.jobTemplate.spec.template.spec.containers.[name=controller].env.[name=WIDEMERGE_IMAGE].value"]
OVERLAY
}

# apply_overlay: what a dry run can do of it, it does: the manifests are put together by kustomize.
apply_overlay() {
  if dry; then
    if has kubectl; then
      kubectl kustomize "$overlay" >"$overlay/manifests.yaml"
      remark "$overlay/manifests.yaml: $(sed -n 's/^kind: //p' "$overlay/manifests.yaml" | sort | tr '\n' ' ')"
    else remark "NOT DONE, without kubectl: kubectl kustomize $overlay"; fi
  fi
  cloud kubectl "--context=$deployed_kubernetes_context" apply -k k8s/deployed
}
