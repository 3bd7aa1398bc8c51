/** What the kernel says about processes, under /proc. */
import { readdirSync, readFileSync } from "node:fs";

/** Resident memory of one process in bytes; all 0 if there is no such process. */
export interface Resident {
  readonly now: number;
  /** The part of it that is mapped from files. */
  readonly fromFiles: number;
  readonly peak: number;
}

export function readResident(pid: number): Resident {
  const status = readText(`/proc/${pid}/status`);
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) * 1024;
  return { now: field("VmRSS"), fromFiles: field("RssFile"), peak: field("VmHWM") };
}

/** Ticks of the kernel's clock a second (USER_HZ, 100 on every Linux that Node runs on). */
const ticks = 100;

/** CPU seconds that a process has used, in user and in kernel mode; 0 if there is no such process. */
export function readCpu(pid: number): number {
  // The name in parentheses may hold spaces; fields are counted behind it (proc(5), /proc/pid/stat: utime is field 14).
  const [, after = ""] = /\) (.*)$/s.exec(readText(`/proc/${pid}/stat`)) ?? [];
  const fields = after.split(" ");
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / ticks;
}

/** A process and its descendants. The kernel lists children per thread. */
export function listTree(pid: number): number[] {
  const children = listNames(`/proc/${pid}/task`).flatMap((task) =>
    readText(`/proc/${pid}/task/${task}/children`).split(" ").filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(listTree)];
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function listNames(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
