import { createHash } from "node:crypto";
import { posix } from "node:path";
import { ExitCode } from "../../model/exit-code.ts";
import { failOn, type Problem } from "../../model/failure.ts";
import type { Launch } from "../../model/run.ts";
import { isGcsPath } from "../../model/storage-path.ts";
import { formatNumber } from "../../model/units.ts";
import type { WorkerEnvironment } from "../backend.ts";
import { checkAutopilot } from "./autopilot.ts";
import type { V1Job, V1JobSpec, V1ObjectMeta, V1PodFailurePolicy } from "./client.ts";
import { annotations, containerName, labels, nameJob } from "./names.ts";
import type { KubernetesOptions } from "./options.ts";
import { buildPod, splitClaim } from "./pod.ts";

/** Linux allows 128 KiB for one variable, its name included. */
const pairsLimit = 127 * 1024;
/** The name of a pod becomes its host name, which has at most 63 characters. */
const nameLimit = 63;

/**
 * The Indexed Job of a launch, with one index per pair. Pure: the same arguments give the same Job, which is how an existing
 * Job is recognised.
 * @throws Failure (usage) with everything that would keep it from ever running.
 */
export function buildJob(launch: Launch, options: KubernetesOptions, environment: WorkerEnvironment): V1Job {
  failOn(ExitCode.usage, [
    ...checkLaunch(launch),
    ...checkAutopilot(launch, options),
    ...checkOptions(options, environment),
  ]);
  const shared = {
    "app.kubernetes.io/name": "widemerge",
    [labels.run]: launch.run,
    [labels.launch]: `${launch.number}`,
  };
  const queue = options.queue === undefined ? {} : { "kueue.x-k8s.io/queue-name": options.queue };
  const pairs = { [annotations.pairs]: launch.tasks.map(({ pair }) => pair).join(",") };
  const job = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: nameJob(launch),
      namespace: options.namespace,
      labels: { ...shared, ...queue },
      annotations: pairs,
    },
    spec: {
      ...buildSpec(launch, options),
      template: { metadata: { labels: shared }, spec: buildPod(launch, options, environment) },
    },
  };
  const digest = createHash("sha256").update(JSON.stringify(job)).digest("hex");
  const metadata = {
    ...job.metadata,
    ...belongTo(options.owner),
    annotations: { ...pairs, [annotations.digest]: digest },
  };
  return { ...job, metadata };
}

/** The owner is not part of the digest: the next controller must find the Job although another one created it. */
function belongTo(owner: string | undefined): Pick<V1ObjectMeta, "ownerReferences"> {
  if (owner === undefined) return {};
  const [name = "", uid = ""] = owner.split(":");
  return { ownerReferences: [{ apiVersion: "batch/v1", kind: "Job", name, uid }] };
}

function buildSpec(launch: Launch, options: KubernetesOptions): Omit<V1JobSpec, "template"> {
  const completions = launch.tasks.length;
  return {
    completionMode: "Indexed",
    completions,
    parallelism: Math.min(launch.parallelism, completions),
    // The controller starts failed pairs again, in another Job.
    backoffLimitPerIndex: 0,
    // No failure stops the other pairs: all of them may fail.
    maxFailedIndexes: completions,
    podReplacementPolicy: "Failed",
    podFailurePolicy,
    ttlSecondsAfterFinished: options.keepFinished,
    ...(options.deadline === undefined ? {} : { activeDeadlineSeconds: options.deadline }),
    ...(options.queue === undefined ? {} : { suspend: true }),
  };
}

/**
 * A pod whose capacity was taken away, or whose worker was told to stop, is replaced and does not count. Any other failed
 * pod counts, which fails its index at once.
 */
const podFailurePolicy: V1PodFailurePolicy = {
  rules: [
    { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
    {
      action: "Ignore",
      onExitCodes: { containerName, operator: "In", values: [ExitCode.interrupted, ExitCode.terminated] },
    },
  ],
};

function checkLaunch(launch: Launch): Problem[] {
  const problems: Problem[] = [];
  const longest = `${nameJob(launch)}-${launch.tasks.length}`;
  if (longest.length > nameLimit)
    problems.push({
      what: `the names of pods would exceed ${nameLimit} characters`,
      found: longest,
      fix: "choose a shorter run id",
    });
  const length = launch.tasks.map(({ pair }) => pair).join(",").length;
  if (launch.tasks.length === 0 || length > pairsLimit)
    problems.push({
      what: "the pairs do not fit into one Job",
      found: `${formatNumber(launch.tasks.length, "pair")}, ${formatNumber(length, "character")}`,
      fix: `use at least one pair, and names of at most ${pairsLimit} characters in total`,
    });
  if (launch.tasks.some(({ index }, place) => index !== place))
    problems.push({
      what: "the tasks of a launch are not numbered from 0",
      found: launch.tasks.map(({ index }) => index).join(","),
      fix: "report this with the run's run.json",
    });
  return problems;
}

function checkOptions(options: KubernetesOptions, environment: WorkerEnvironment): Problem[] {
  const problems: Problem[] = [];
  if (options.image === undefined)
    problems.push({
      what: "no container image is set",
      fix: "set an image that the nodes can pull, with its registry: --image or WIDEMERGE_IMAGE",
    });
  const { WIDEMERGE_INPUT: input, WIDEMERGE_OUTPUT: output } = environment;
  return [...problems, ...checkPlace("input", input, options), ...checkPlace("output", output, options)];
}

/** Controller and pods must use the same place: a bucket, or a folder of a claim that both see under the same path. */
function checkPlace(name: string, place: string, options: KubernetesOptions): Problem[] {
  if (isGcsPath(place)) return [];
  const folder = splitClaim(options.volumeClaim)?.folder;
  const path = posix.normalize(place);
  if (folder !== undefined && (path === folder || path.startsWith(`${posix.normalize(folder).replace(/\/$/, "")}/`)))
    return [];
  const where = folder === undefined ? "no volume claim" : `the volume claim at ${folder}`;
  return [
    {
      what: `a pod cannot reach the ${name}`,
      found: `${place}, and ${where}`,
      fix: "use gs://bucket/folder, or a folder of a claim that this machine mounts under the same path: --volume-claim name:/folder",
    },
  ];
}
