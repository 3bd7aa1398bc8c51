import { placeVariables } from "../../model/generation.ts";
import { outcomeVariable } from "../../model/outcome.ts";
import type { Launch } from "../../model/run.ts";
import { printSize } from "../../model/units.ts";
import type { WorkerEnvironment } from "../backend.ts";
import type { V1Container, V1EnvVar, V1PodSpec, V1Toleration, V1Volume, V1VolumeMount } from "./client.ts";
import { containerName, spotLabel } from "./names.ts";
import type { KubernetesOptions } from "./options.ts";
import { chooseCpus, formatCpuQuantity, formatMemoryQuantity } from "./quantity.ts";

const terminationLog = "/dev/termination-log";
/** The user of the image, which has no rights on the node. */
const user = 65532;
/** Spot pods get at most 25 seconds to end; a worker needs one or two. */
const graceSeconds = 25;

/** The pod template of a launch, the same for every index. It meets the "restricted" Pod Security Standard. */
export function buildPod(launch: Launch, options: KubernetesOptions, environment: WorkerEnvironment): V1PodSpec {
  const nodeSelector = Object.fromEntries(options.nodeSelector.map(splitLabel));
  const tolerations = options.tolerations.map(toToleration);
  if (launch.spot) {
    nodeSelector[spotLabel] = "true";
    tolerations.push({ key: spotLabel, operator: "Equal", value: "true", effect: "NoSchedule" });
  }
  return {
    restartPolicy: "Never",
    terminationGracePeriodSeconds: graceSeconds,
    automountServiceAccountToken: false,
    // A Service named "widemerge" would otherwise add variables that the worker refuses as unknown settings.
    enableServiceLinks: false,
    ...(options.serviceAccount === undefined ? {} : { serviceAccountName: options.serviceAccount }),
    ...(Object.keys(nodeSelector).length === 0 ? {} : { nodeSelector }),
    ...(tolerations.length === 0 ? {} : { tolerations }),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      fsGroup: user,
      // The kubelet would otherwise change the owner of every file of a claim at every start.
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [buildContainer(launch, options, environment)],
    volumes: buildVolumes(options),
  };
}

function buildContainer(launch: Launch, options: KubernetesOptions, environment: WorkerEnvironment): V1Container {
  const cpus = countCpus(options.cpu, launch.ceilingBytes);
  const resources = {
    cpu: formatCpuQuantity(cpus),
    memory: formatMemoryQuantity(launch.ceilingBytes),
    "ephemeral-storage": "1Gi",
  };
  return {
    name: containerName,
    ...(options.image === undefined ? {} : { image: options.image }),
    imagePullPolicy: options.imagePullPolicy,
    args: ["merge"],
    env: buildEnvironment(launch, cpus, environment),
    resources: { requests: resources, limits: { ...resources } },
    terminationMessagePath: terminationLog,
    terminationMessagePolicy: "File",
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: buildMounts(options),
  };
}

/** Virtual CPUs of a pod with that much memory. */
export function countCpus(cpu: KubernetesOptions["cpu"], memoryBytes: number): number {
  return cpu === "auto" ? chooseCpus(memoryBytes) : cpu;
}

function buildEnvironment(launch: Launch, cpus: number, environment: WorkerEnvironment): V1EnvVar[] {
  const values: Record<string, string> = {
    ...environment,
    WIDEMERGE_RUN: launch.run,
    ...placeVariables(launch),
    WIDEMERGE_PAIRS: launch.tasks.map(({ pair }) => pair).join(","),
    WIDEMERGE_MEMORY_CEILING: printSize(launch.ceilingBytes),
    POLARS_MAX_THREADS: `${Math.max(1, Math.floor(cpus))}`,
    [outcomeVariable]: terminationLog,
  };
  const fixed = Object.entries(values).sort(([left], [right]) => (left < right ? -1 : 1));
  return [
    ...fixed.map(([name, value]) => ({ name, value })),
    // Unlike the host name, the name of the pod is different for every pod of an index.
    { name: "WIDEMERGE_ATTEMPT", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } } },
  ];
}

function buildVolumes(options: KubernetesOptions): V1Volume[] {
  const temporary: V1Volume = { name: "tmp", emptyDir: { sizeLimit: "512Mi" } };
  const claim = splitClaim(options.volumeClaim);
  return claim === undefined
    ? [temporary]
    : [temporary, { name: "data", persistentVolumeClaim: { claimName: claim.name } }];
}

function buildMounts(options: KubernetesOptions): V1VolumeMount[] {
  const temporary: V1VolumeMount = { name: "tmp", mountPath: "/tmp" };
  const claim = splitClaim(options.volumeClaim);
  return claim === undefined ? [temporary] : [temporary, { name: "data", mountPath: claim.folder }];
}

/** Splits "name:/folder" into a claim and its mount path. */
export function splitClaim(text: string | undefined): { readonly name: string; readonly folder: string } | undefined {
  if (text === undefined) return undefined;
  const [name = "", folder = "/data"] = text.split(":");
  return { name, folder };
}

function splitLabel(text: string): [string, string] {
  const at = text.indexOf("=");
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Parses "key=value:effect"; value and effect are optional. */
function toToleration(text: string): V1Toleration {
  const [taint = "", effect] = text.split(":");
  const [key = "", value] = taint.split("=");
  return {
    key,
    ...(value === undefined ? { operator: "Exists" } : { operator: "Equal", value }),
    ...(effect === undefined ? {} : { effect }),
  };
}
