import * as v from "valibot";
import { count, flag, list } from "./values.ts";

const nameText = "a Kubernetes name of lower-case letters, digits, - and ., at most 63";
const kubernetesName = v.pipe(v.string(nameText), v.regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/, nameText));

const imageText = "an image such as europe-docker.pkg.dev/project/fx/widemerge:1.0.0";
const claimText = "a claim's name, or name:/folder to mount it elsewhere than at /data";
const cpuText = "auto, or a number of virtual CPUs such as 8 or 0.5";
const selectorText = "labels such as disk=ssd,cloud.google.com/compute-class=Balanced";
const tolerationText = "taints such as dedicated=merge:NoSchedule,spot";
const ownerText = "a Job's name and its uid, such as all-pairs:0f3c2b1a-6d5e-4f70-8192-a3b4c5d6e7f8";
const secondsText = "a whole number of seconds, at least 1";

/** Settings of the Kubernetes backend; part of the settings of a run. */
export const kubernetesEntries = {
  kubeContext: v.optional(
    v.pipe(v.string(), v.nonEmpty("a name"), v.description("kubeconfig context; default: the current one")),
  ),
  namespace: v.optional(v.pipe(kubernetesName, v.description("Kubernetes namespace of the Jobs")), "widemerge"),
  image: v.optional(
    v.pipe(v.string(imageText), v.regex(/^[a-zA-Z0-9][\w.:/@-]*$/, imageText), v.description("container image")),
  ),
  imagePullPolicy: v.optional(
    v.pipe(
      v.picklist(["Always", "IfNotPresent", "Never"], "Always, IfNotPresent or Never"),
      v.description("when a node pulls the image"),
    ),
    "IfNotPresent",
  ),
  serviceAccount: v.optional(
    v.pipe(kubernetesName, v.description("service account of the pods, for Workload Identity; no token is mounted")),
  ),
  owner: v.optional(
    v.pipe(
      v.string(ownerText),
      v.regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?:[0-9a-f-]{36}$/, ownerText),
      v.description(
        "Job that owns the Jobs of the run, as name:uid; they are deleted with it. The manifests in k8s/ set it",
      ),
    ),
  ),
  cpu: v.optional(
    v.pipe(
      v.union(
        [
          v.literal("auto"),
          v.pipe(
            v.union([v.number(), v.pipe(v.string(), v.decimal())]),
            v.transform(Number),
            v.minValue(0.05),
            v.maxValue(1024),
          ),
        ],
        cpuText,
      ),
      v.description("virtual CPUs of each pod; auto: one for every 6.5 GiB of the ceiling, as GKE Autopilot requires"),
    ),
    "auto",
  ),
  autopilot: v.optional(
    v.pipe(
      flag,
      v.description("the cluster is GKE Autopilot: refuse before the run what Autopilot would change or never start"),
    ),
    false,
  ),
  spot: v.optional(v.pipe(flag, v.description("use Spot capacity of GKE: cheaper, but it can be taken away")), false),
  queue: v.optional(v.pipe(kubernetesName, v.description("Kueue queue: Jobs start suspended, and Kueue admits them"))),
  nodeSelector: v.optional(
    v.pipe(
      list(/^([a-z0-9.-]+\/)?[A-Za-z0-9][A-Za-z0-9_.-]*=[A-Za-z0-9_.-]*$/, selectorText),
      v.description("labels that a node must have, key=value, separated by commas"),
    ),
    [],
  ),
  tolerations: v.optional(
    v.pipe(
      list(
        /^([a-z0-9.-]+\/)?[A-Za-z0-9][A-Za-z0-9_.-]*(=[A-Za-z0-9_.-]*)?(:(NoSchedule|PreferNoSchedule|NoExecute))?$/,
        tolerationText,
      ),
      v.description("taints to tolerate, key[=value][:effect], separated by commas"),
    ),
    [],
  ),
  volumeClaim: v.optional(
    v.pipe(
      v.string(claimText),
      v.regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?(:\/[\w./-]+)?$/, claimText),
      v.description("persistent volume claim with input and output, if they are not in a bucket: name[:/folder]"),
    ),
  ),
  deadline: v.optional(
    v.pipe(count(secondsText), v.description("seconds after which Kubernetes stops a Job; default: never")),
  ),
  keepFinished: v.optional(
    v.pipe(count(secondsText), v.description("seconds for which a finished Job and its pods are kept")),
    7 * 24 * 3600,
  ),
};
