import type { BackendName } from "../model/backend-name.ts";
import { autopilotPod, cloudRunMemory, cloudRunSizes } from "../model/platform-limits.ts";
import { GiB } from "../model/units.ts";

/** Virtual CPUs and bytes of memory. */
export interface Size {
  readonly vcpu: number;
  readonly memoryBytes: number;
}

const quarterGiB = GiB / 4;
/** The largest Cloud Run task. */
export const largestCloudRunTask: Size = { vcpu: 8, memoryBytes: cloudRunMemory.mostBytes };

/** The smallest size of a backend with at least that much; undefined where none is large enough. */
export function fitSize(backend: BackendName, least: Size): Size | undefined {
  if (backend === "cloudrun") return fitCloudRun(least);
  if (backend === "kubernetes") return fitAutopilot(least);
  return { vcpu: least.vcpu, memoryBytes: roundUp(least.memoryBytes, quarterGiB) };
}

function fitCloudRun(least: Size): Size | undefined {
  const size = cloudRunSizes.find(({ vcpu, mostBytes }) => vcpu >= least.vcpu && least.memoryBytes <= mostBytes);
  if (size === undefined) return undefined;
  return { vcpu: size.vcpu, memoryBytes: roundUp(Math.max(least.memoryBytes, size.leastBytes), quarterGiB) };
}

function fitAutopilot(least: Size): Size {
  const memory = roundUp(least.memoryBytes, quarterGiB);
  const vcpu = Math.max(least.vcpu, roundUp(memory / GiB / autopilotPod.mostGiBPerVcpu, 0.25));
  return { vcpu, memoryBytes: Math.max(memory, roundUp(vcpu * autopilotPod.leastGiBPerVcpu * GiB, quarterGiB)) };
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

const highmemVcpus = [2, 4, 8, 16, 32, 48, 64, 80];
const highmemGiBPerVcpu = 8;

/** The smallest N2 high-memory machine with at least that much; undefined where none is large enough. */
export function fitMachine(least: Size): { readonly name: string; readonly size: Size } | undefined {
  const vcpu = highmemVcpus.find(
    (count) => count >= least.vcpu && count * highmemGiBPerVcpu * GiB >= least.memoryBytes,
  );
  if (vcpu === undefined) return undefined;
  return { name: `n2-highmem-${vcpu}`, size: { vcpu, memoryBytes: vcpu * highmemGiBPerVcpu * GiB } };
}
