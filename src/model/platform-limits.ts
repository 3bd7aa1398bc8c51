/** What the platforms allow a worker to have, as they document it. Sizes in bytes unless a name says GiB. */
import { GiB } from "./units.ts";

/**
 * What a pod of GKE Autopilot's general-purpose class can have. A pod of another ratio is given more of the one or the
 * other, and billed for it; a larger one stays pending (cloud.google.com/kubernetes-engine, Autopilot resource requests).
 */
export const autopilotPod = { leastGiBPerVcpu: 1, mostGiBPerVcpu: 6.5, mostVcpu: 30, mostGiB: 110 } as const;

/** How much memory a Cloud Run task can have with how many virtual CPUs. */
export const cloudRunSizes = [
  { vcpu: 1, leastBytes: GiB / 2, mostBytes: 4 * GiB },
  { vcpu: 2, leastBytes: GiB / 2, mostBytes: 8 * GiB },
  { vcpu: 4, leastBytes: 2 * GiB, mostBytes: 16 * GiB },
  { vcpu: 6, leastBytes: 4 * GiB, mostBytes: 24 * GiB },
  { vcpu: 8, leastBytes: 4 * GiB, mostBytes: 32 * GiB },
] as const;

/** The least and the most memory of a Cloud Run task. */
export const cloudRunMemory = { leastBytes: GiB / 2, mostBytes: 32 * GiB } as const;

/** Virtual CPUs of a Cloud Run task with that much memory: the stated number, or the fewest that Cloud Run allows. */
export function countCloudRunCpus(cpu: "auto" | number, memoryBytes: number): number {
  if (cpu !== "auto") return cpu;
  return cloudRunSizes.find(({ mostBytes }) => memoryBytes <= mostBytes)?.vcpu ?? 8;
}
