import type { MemoryRecord } from "../model/measurement.ts";
import { readWorkingSet } from "./cgroup.ts";
import type { Limits } from "./limits.ts";
import { listTree, type ProcessMemory, readProcess, readRssFromPs } from "./process.ts";

/** Measures the memory of supervisor, child and the child's descendants. */
export interface Sampler {
  readonly source: MemoryRecord["source"];
  /** The working set now, in bytes; counts for the peak. */
  sample(): number;
  /** The peak so far, in bytes, including spikes between two samples. */
  peakBytes(): number;
}

/** One reading of all processes. */
interface Reading {
  /** Resident sets of all processes. */
  readonly rssBytes: number;
  /** A lower bound of the memory that was resident when one of the processes was at its largest. */
  readonly reachedBytes: number;
}

/** Looking for new descendants reads a file per thread: once a second is enough. */
const samplesPerScan = 10;

/**
 * A sampler of this process and of a child with its descendants.
 *
 * Where a control group's limit is in force, the working set is the group's (see `readWorkingSet`), because the kernel
 * compares that with the limit. Elsewhere it is the sum of the resident sets. The sum counts pages that the processes
 * share (Node's program text, some 40 MB) once for each, so it is an upper bound. The proportional set would be exact,
 * but costs 47 ms for a process of 5 GB (smaps_rollup walks its page tables; /proc/<pid>/status: 0.04 ms), too much ten
 * times a second.
 *
 * The peak is the largest of all samples and, for spikes between two of them, of each process's own high-water mark
 * (VmHWM) plus the smallest size of the supervisor: the mark proves that this much was in memory at one time. Marks are as
 * old as the last sample, so take one more sample while the child still exists.
 */
export function createSampler(limits: Limits, childPid?: number): Sampler {
  const source = limits.source === "none" ? "rss" : limits.source;
  const readProcesses = createProcessReader(source !== "rss", limits.root, childPid);
  let peak = 0;
  return {
    source,
    sample() {
      const reading = readProcesses();
      const bytes = readGroup(limits) ?? reading.rssBytes;
      peak = Math.max(peak, bytes, reading.reachedBytes);
      return bytes;
    },
    peakBytes: () => peak,
  };
}

function readGroup({ cgroup, limitDir }: Limits): number | undefined {
  return cgroup === undefined || limitDir === undefined ? undefined : readWorkingSet(cgroup.version, limitDir);
}

/** `anonymous`: leaves file pages out of the marks, as a control group's working set does. */
function createProcessReader(anonymous: boolean, root: string, child?: number): () => Reading {
  const fileBytes = new Map<number, number>();
  let scans = 0;
  let pids: readonly number[] = [];
  let smallestSelf = Number.POSITIVE_INFINITY;

  const listPids = (): readonly number[] => {
    if (child !== undefined && scans % samplesPerScan === 0) pids = listTree(child, root);
    scans += 1;
    return pids;
  };
  // File pages only grow, as code is used, so the smallest reading gives an upper bound of the mark.
  const markOf = (pid: number, memory: ProcessMemory): number => {
    const mapped = Math.min(fileBytes.get(pid) ?? memory.fileBytes, memory.fileBytes);
    fileBytes.set(pid, memory.fileBytes);
    return (memory.peakBytes ?? memory.rssBytes) - (anonymous ? mapped : 0);
  };

  return () => {
    const own = readProcess("self", root);
    if (own === undefined) return readWithoutProc(child);
    smallestSelf = Math.min(smallestSelf, own.rssBytes - (anonymous ? own.fileBytes : 0));
    let rssBytes = own.rssBytes;
    let reachedBytes = markOf(process.pid, own);
    for (const pid of listPids()) {
      const memory = readProcess(pid, root);
      if (memory === undefined) continue;
      rssBytes += memory.rssBytes;
      reachedBytes = Math.max(reachedBytes, markOf(pid, memory) + smallestSelf);
    }
    return { rssBytes, reachedBytes };
  };
}

/** macOS: this process, and the child as `ps` sees it. */
function readWithoutProc(child: number | undefined): Reading {
  const rssBytes = process.memoryUsage.rss() + (child === undefined ? 0 : readRssFromPs(child));
  return { rssBytes, reachedBytes: rssBytes };
}
