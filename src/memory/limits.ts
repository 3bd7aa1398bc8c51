import { availableParallelism, freemem, totalmem } from "node:os";
import { join } from "node:path";
import {
  type Cgroup,
  findCgroup,
  listAncestors,
  readCpuQuota,
  readMemoryLimit,
  readText,
  readWorkingSet,
} from "./cgroup.ts";

/** The limits of this process: those of its container where there are any, else those of the machine. */
export interface Limits {
  /** Where the memory limit comes from. */
  readonly source: "cgroup2" | "cgroup1" | "none";
  /** The smallest limit of the own group and of all groups above it, in bytes; absent where none is in force. */
  readonly memoryLimitBytes?: number;
  /** Bytes that are free under all limits, at most those that the machine has available. */
  readonly memoryAvailableBytes: number;
  /** Memory of the machine in bytes. */
  readonly memoryTotalBytes: number;
  /** Whole CPUs that the quota allows, at least 1, at most the machine's. */
  readonly cpus: number;
  /** The own group for memory: out-of-memory kills are counted there. */
  readonly cgroup?: Cgroup;
  /** The group with the smallest limit; its working set is compared with the limit. */
  readonly limitDir?: string;
  /** The directory in which /proc and /sys were looked up. */
  readonly root: string;
}

export interface LimitsOptions {
  /** Stands for "/" when /proc and /sys are read. */
  readonly root?: string;
  /** CPUs of the machine; os.availableParallelism() unless given. */
  readonly parallelism?: number;
}

/** The limits without the control group, for a merge that shares the group with others and counts only its own processes. */
export function leaveOutGroups({ cgroup: _, limitDir: __, ...limits }: Limits): Limits {
  return { ...limits, source: "none" };
}

interface GroupLimit {
  readonly dir: string;
  readonly limitBytes: number;
  readonly freeBytes: number;
}

/**
 * Reads the limits in force: control groups v1, v2 and hybrid, nested, inside and outside of containers. Never throws:
 * a limit that cannot be read counts as none, and without /proc the numbers come from the operating system.
 */
export function readLimits(options: LimitsOptions = {}): Limits {
  const root = options.root ?? "/";
  const memoryTotalBytes = readMeminfo(root, "MemTotal") ?? totalmem();
  const hostBytes = readMeminfo(root, "MemAvailable") ?? freemem();
  const cgroup = findCgroup("memory", root);
  const groups = cgroup === undefined ? [] : listGroupLimits(cgroup, memoryTotalBytes);
  const smallest = groups.reduce<GroupLimit | undefined>(
    (best, group) => (best === undefined || group.limitBytes < best.limitBytes ? group : best),
    undefined,
  );
  return {
    source: cgroup === undefined || smallest === undefined ? "none" : `cgroup${cgroup.version}`,
    ...(smallest === undefined ? {} : { memoryLimitBytes: smallest.limitBytes, limitDir: smallest.dir }),
    memoryAvailableBytes: Math.min(hostBytes, ...groups.map((group) => group.freeBytes)),
    memoryTotalBytes,
    cpus: countCpus(root, options.parallelism ?? availableParallelism()),
    ...(cgroup === undefined ? {} : { cgroup }),
    root,
  };
}

function listGroupLimits(cgroup: Cgroup, totalBytes: number): GroupLimit[] {
  return listAncestors(cgroup).flatMap((dir) => {
    const limitBytes = readMemoryLimit(cgroup.version, dir, totalBytes);
    if (limitBytes === undefined) return [];
    const used = readWorkingSet(cgroup.version, dir) ?? 0;
    return [{ dir, limitBytes, freeBytes: Math.max(0, limitBytes - used) }];
  });
}

/** Rounded down, because more threads than the quota allows would all be throttled. */
function countCpus(root: string, parallelism: number): number {
  const cgroup = findCgroup("cpu", root);
  const quotas = cgroup === undefined ? [] : listAncestors(cgroup).map((dir) => readCpuQuota(cgroup.version, dir));
  const smallest = Math.min(parallelism, ...quotas.filter((quota) => quota !== undefined));
  return Math.max(1, Math.floor(smallest));
}

function readMeminfo(root: string, name: string): number | undefined {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(readText(join(root, "/proc/meminfo")) ?? "");
  return match === null ? undefined : Number(match[1]) * 1024;
}
