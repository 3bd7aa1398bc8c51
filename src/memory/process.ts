import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readText } from "./cgroup.ts";

/** Memory of one process in bytes. */
export interface ProcessMemory {
  /** Resident set. */
  readonly rssBytes: number;
  /** Largest resident set since the process started its program; absent where the system does not keep it. */
  readonly peakBytes?: number;
  /** The part of the resident set that is mapped from files: mostly program text, shared between processes. */
  readonly fileBytes: number;
  /** Private writable mappings, resident or not: what RLIMIT_DATA counts. */
  readonly dataBytes: number;
}

/** Memory of a process from /proc/<pid>/status; undefined after it has ended, and on systems without /proc. */
export function readProcess(pid: number | "self", root = "/"): ProcessMemory | undefined {
  const status = readText(join(root, "/proc", String(pid), "status"));
  const rssBytes = status === undefined ? undefined : readField(status, "VmRSS");
  if (status === undefined || rssBytes === undefined) return undefined;
  const peakBytes = readField(status, "VmHWM");
  return {
    rssBytes,
    ...(peakBytes === undefined ? {} : { peakBytes }),
    fileBytes: readField(status, "RssFile") ?? 0,
    dataBytes: readField(status, "VmData") ?? 0,
  };
}

/** The process and its descendants, as far as /proc lists them (the kernel lists children per thread). */
export function listTree(pid: number, root = "/"): number[] {
  return [pid, ...listChildren(pid, root).flatMap((child) => listTree(child, root))];
}

function listChildren(pid: number, root: string): number[] {
  const tasks = join(root, "/proc", String(pid), "task");
  const lists = readNames(tasks).map((task) => readText(join(tasks, task, "children")) ?? "");
  return lists.flatMap((list) => list.split(" ").filter(Boolean).map(Number));
}

/** Resident set of a process from `ps`, in bytes, for systems without /proc; 0 after it has ended. */
export function readRssFromPs(pid: number): number {
  try {
    const text = execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { stdio: ["ignore", "pipe", "ignore"] });
    return Number(text.toString().trim()) * 1024;
  } catch {
    return 0;
  }
}

/** The hard limit on private writable memory that is in force for this process, in bytes; undefined without one. */
export function readDataLimit(root = "/"): number | undefined {
  const match = /^Max data size\s+\S+\s+(\d+)/m.exec(readText(join(root, "/proc/self/limits")) ?? "");
  return match === null ? undefined : Number(match[1]);
}

function readNames(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

function readField(status: string, name: string): number | undefined {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status);
  return match === null ? undefined : Number(match[1]) * 1024;
}
