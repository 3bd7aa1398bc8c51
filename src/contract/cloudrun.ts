import * as v from "valibot";
import { kubernetesEntries } from "./kubernetes.ts";

const projectText = "a Google Cloud project id, such as fx-features";
const regionText = "a Google Cloud region, such as us-central1";
const accountText = "a service account's address, such as worker@fx-features.iam.gserviceaccount.com";
const timeoutText = "a whole number of seconds from 1 to 604800 (7 days)";
const endpointText = "a host and a port, such as 127.0.0.1:8123";

/** Settings of the Cloud Run backend that no other backend has; part of the settings of a run. */
export const cloudRunEntries = {
  project: v.optional(
    v.pipe(
      v.string(projectText),
      v.regex(/^([a-z0-9.-]+:)?[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/, projectText),
      v.description("Google Cloud project that Cloud Run jobs run in, and that traces in the log are named in"),
    ),
  ),
  region: v.optional(
    v.pipe(
      v.string(regionText),
      v.regex(/^[a-z]+(-[a-z]+)+[0-9]+$/, regionText),
      v.description("region of the Cloud Run jobs; best that of the buckets"),
    ),
  ),
  cloudRunServiceAccount: v.optional(
    v.pipe(
      v.string(accountText),
      v.regex(/^[a-zA-Z0-9.-]+@[a-z0-9.-]+$/, accountText),
      v.description("service account that Cloud Run tasks act as; default: the project's default one"),
    ),
  ),
  taskTimeout: v.optional(
    v.pipe(
      v.union([v.number(), v.pipe(v.string(), v.digits())], timeoutText),
      v.transform(Number),
      v.integer(timeoutText),
      v.minValue(1, timeoutText),
      v.maxValue(7 * 24 * 3600, timeoutText),
      v.description("seconds after which Cloud Run stops a pair's task"),
    ),
    4 * 3600,
  ),
  cloudRunEndpoint: v.optional(
    v.pipe(
      v.string(endpointText),
      v.regex(/^[a-z0-9.-]+:\d{1,5}$/i, endpointText),
      v.description("emulator of Cloud Run to talk to, without encryption and credentials"),
    ),
  ),
};

/** All settings that the Cloud Run backend reads; image and cpu are shared with the Kubernetes backend. */
export const CloudRunOptions = v.object({
  image: kubernetesEntries.image,
  cpu: kubernetesEntries.cpu,
  ...cloudRunEntries,
});
export type CloudRunOptions = Readonly<v.InferOutput<typeof CloudRunOptions>>;

const GiB = 2 ** 30;

/** How much memory goes with how many virtual CPUs, in bytes. */
export const cloudRunSizes = [
  { vcpu: 1, leastBytes: GiB / 2, mostBytes: 4 * GiB },
  { vcpu: 2, leastBytes: GiB / 2, mostBytes: 8 * GiB },
  { vcpu: 4, leastBytes: 2 * GiB, mostBytes: 16 * GiB },
  { vcpu: 6, leastBytes: 4 * GiB, mostBytes: 24 * GiB },
  { vcpu: 8, leastBytes: 4 * GiB, mostBytes: 32 * GiB },
] as const;

/** The least and the most memory of a task, in bytes. */
export const cloudRunMemory = { leastBytes: GiB / 2, mostBytes: 32 * GiB } as const;

/** Virtual CPUs of a task with that much memory: the stated number, or the fewest that Cloud Run allows with it. */
export function countCloudRunCpus(cpu: CloudRunOptions["cpu"], memoryBytes: number): number {
  if (cpu !== "auto") return cpu;
  return cloudRunSizes.find(({ mostBytes }) => memoryBytes <= mostBytes)?.vcpu ?? 8;
}

/** The name of one start of a task; all tasks of a launch are given the same variables, so it is put together. */
export function nameCloudRunAttempt(execution: string, index: number | string, attempt: number | string): string {
  return `${execution}-${index}-${attempt}`;
}

/** The same, as a worker finds it in its own environment; undefined elsewhere than in a Cloud Run job. */
export function findCloudRunAttempt(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const { CLOUD_RUN_EXECUTION: execution, CLOUD_RUN_TASK_INDEX: index, CLOUD_RUN_TASK_ATTEMPT: attempt } = environment;
  if (execution === undefined || index === undefined) return undefined;
  return nameCloudRunAttempt(execution, index, attempt ?? "0");
}
