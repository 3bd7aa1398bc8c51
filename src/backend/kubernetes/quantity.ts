import { autopilotPod } from "../../model/platform-limits.ts";
import { GiB, MiB, parseBytes } from "../../model/units.ts";

const bytesPerCpu = autopilotPod.mostGiBPerVcpu * GiB;

/** Bytes as Kubernetes writes them, exactly: 50Gi, 512Mi, or the plain number. */
export function formatMemoryQuantity(bytes: number): string {
  if (bytes % GiB === 0) return `${bytes / GiB}Gi`;
  return bytes % MiB === 0 ? `${bytes / MiB}Mi` : `${bytes}`;
}

/** Virtual CPUs as Kubernetes writes them: 8, or 500m for half of one. */
export function formatCpuQuantity(cpus: number): string {
  return Number.isInteger(cpus) ? `${cpus}` : `${Math.round(cpus * 1000)}m`;
}

/** Virtual CPUs of "8" or "500m"; undefined for anything else. */
export function parseCpuQuantity(text: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(m?)$/.exec(text ?? "");
  return match === null ? undefined : Number(match[1]) / (match[2] === "m" ? 1000 : 1);
}

/** Bytes of "50Gi" or "1000000"; undefined for anything else. */
export function parseMemoryQuantity(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseBytes(text);
}

/** Virtual CPUs for a pod with this much memory, if none are set. */
export function chooseCpus(memoryBytes: number): number {
  return Math.max(1, Math.ceil(memoryBytes / bytesPerCpu));
}
