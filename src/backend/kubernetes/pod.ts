import { outcomeVariable } from "../../model/outcome.ts";
import type { Launch } from "../../model/run.ts";
import type { V1Container, V1EnvVar, V1PodSpec, V1Toleration, V1Volume, V1VolumeMount } from "./client.ts";
import { containerName, spotLabel } from "./names.ts";
import type { KubernetesOptions } from "./options.ts";
import { chooseCpus, formatCpuQuantity, formatMemoryQuantity } from "./quantity.ts";

/** Settings of the worker as environment variables; WIDEMERGE_INPUT and WIDEMERGE_OUTPUT are always among them. */
export type WorkerEnvironment = Readonly<Record<string, string>>;

const terminationLog = "/dev/termination-log";
/** The image's own user, without any right on the node. */
const user = 65532;
/** Spot capacity is taken away within 25 seconds; a worker that is told to stop needs one or two. */
const graceSeconds = 25;

/** The pod of any index of a launch: they differ in nothing but their index. Meets the "restricted" security standard. */
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
    // A Service called "widemerge" would otherwise put variables into the worker that it has to refuse.
    enableServiceLinks: false,
    ...(options.serviceAccount === undefined ? {} : { serviceAccountName: options.serviceAccount }),
    ...(Object.keys(nodeSelector).length === 0 ? {} : { nodeSelector }),
    ...(tolerations.length === 0 ? {} : { tolerations }),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      fsGroup: user,
      // A claim with many files would otherwise be walked through at every start.
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
    WIDEMERGE_PAIRS: launch.tasks.map(({ pair }) => pair).join(","),
    WIDEMERGE_MEMORY_CEILING: `${launch.ceilingBytes}`,
    POLARS_MAX_THREADS: `${Math.max(1, Math.floor(cpus))}`,
    [outcomeVariable]: terminationLog,
  };
  const fixed = Object.entries(values).sort(([left], [right]) => (left < right ? -1 : 1));
  return [
    ...fixed.map(([name, value]) => ({ name, value })),
    // The host's name is the same for every start of an index; the pod's is not.
    { name: "WIDEMERGE_ATTEMPT", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } } },
  ];
}

function buildVolumes(options: KubernetesOptions): V1Volume[] {
  const scratch: V1Volume = { name: "tmp", emptyDir: { sizeLimit: "512Mi" } };
  const claim = splitClaim(options.volumeClaim);
  return claim === undefined
    ? [scratch]
    : [scratch, { name: "data", persistentVolumeClaim: { claimName: claim.name } }];
}

function buildMounts(options: KubernetesOptions): V1VolumeMount[] {
  const scratch: V1VolumeMount = { name: "tmp", mountPath: "/tmp" };
  const claim = splitClaim(options.volumeClaim);
  return claim === undefined ? [scratch] : [scratch, { name: "data", mountPath: claim.folder }];
}

/** "name:/folder" as a claim and where it is mounted. */
export function splitClaim(text: string | undefined): { readonly name: string; readonly folder: string } | undefined {
  if (text === undefined) return undefined;
  const [name = "", folder = "/data"] = text.split(":");
  return { name, folder };
}

function splitLabel(text: string): [string, string] {
  const at = text.indexOf("=");
  return [text.slice(0, at), text.slice(at + 1)];
}

/** "key=value:effect", where value and effect may be left out. */
function toToleration(text: string): V1Toleration {
  const [taint = "", effect] = text.split(":");
  const [key = "", value] = taint.split("=");
  return {
    key,
    ...(value === undefined ? { operator: "Exists" } : { operator: "Equal", value }),
    ...(effect === undefined ? {} : { effect }),
  };
}
