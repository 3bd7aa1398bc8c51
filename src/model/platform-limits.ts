/** The documented limits of a worker on each platform. Sizes are in bytes unless a name says GiB. */
import { GiB } from "./units.ts";

/**
 * Limits of a pod in GKE Autopilot's general-purpose class. Autopilot raises the CPU or memory request of a pod with
 * another ratio and bills for it; a larger pod stays pending (cloud.google.com/kubernetes-engine, Autopilot resource
 * requests).
 */
export const autopilotPod = { leastGiBPerVcpu: 1, mostGiBPerVcpu: 6.5, mostVcpu: 30, mostGiB: 110 } as const;

/** The memory that a Cloud Run task can have, by its number of virtual CPUs. */
export const cloudRunSizes = [
  { vcpu: 1, leastBytes: GiB / 2, mostBytes: 4 * GiB },
  { vcpu: 2, leastBytes: GiB / 2, mostBytes: 8 * GiB },
  { vcpu: 4, leastBytes: 2 * GiB, mostBytes: 16 * GiB },
  { vcpu: 6, leastBytes: 4 * GiB, mostBytes: 24 * GiB },
  { vcpu: 8, leastBytes: 4 * GiB, mostBytes: 32 * GiB },
] as const;

/** The minimum and the maximum memory of a Cloud Run task. */
export const cloudRunMemory = { leastBytes: GiB / 2, mostBytes: 32 * GiB } as const;

/** Virtual CPUs of a Cloud Run task with that much memory: the given number, or the fewest that Cloud Run allows. */
export function countCloudRunCpus(cpu: "auto" | number, memoryBytes: number): number {
  if (cpu !== "auto") return cpu;
  return cloudRunSizes.find(({ mostBytes }) => memoryBytes <= mostBytes)?.vcpu ?? 8;
}
