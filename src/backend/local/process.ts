import { readdirSync, readFileSync } from "node:fs";

/** Identifies a process: numbers are used again, but number and start time together are not. */
export interface ProcessId {
  readonly pid: number;
  /** Clock ticks from boot to its start; absent on systems without /proc. */
  readonly start?: string;
}

/** The identity of a running process; undefined once it has ended. */
export function identify(pid: number): ProcessId | undefined {
  const fields = readStat(pid);
  if (fields === undefined) return canSignal(pid) ? { pid } : undefined;
  // It has ended and only waits to be reaped.
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  const start = fields[19];
  return start === undefined ? { pid } : { pid, start };
}

/** Whether this very process still runs. */
export function isRunning(id: ProcessId): boolean {
  const found = identify(id.pid);
  return found !== undefined && (id.start === undefined || found.start === undefined || found.start === id.start);
}

/**
 * The process that leads its group and was started with this variable: a worker whose process number was never written
 * down. Undefined if there is none, and on systems without /proc.
 */
export function findByVariable(name: string, value: string): ProcessId | undefined {
  const entry = `${name}=${value}`;
  const pid = listPids().find((pid) => Number(readStat(pid)?.[2]) === pid && readEnvironment(pid).includes(entry));
  return pid === undefined ? undefined : identify(pid);
}

/** Sends a signal to a process, or to its whole group; harmless if it has ended. */
export function sendSignal(id: ProcessId, signal: NodeJS.Signals, group = false): void {
  try {
    if (isRunning(id)) process.kill(group ? -id.pid : id.pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

function canSignal(pid: number): boolean {
  try {
    // If /proc exists and the process is not in it, it has ended.
    if (readStat(process.pid) !== undefined) return false;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** proc(5), stat: the fields from the third on (state, parent, group …) follow the last parenthesis. */
function readStat(pid: number): readonly string[] | undefined {
  return readProc(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, "")
    .split(" ");
}

function readEnvironment(pid: number): readonly string[] {
  return readProc(`/proc/${pid}/environ`)?.split("\0") ?? [];
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}

function listPids(): readonly number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}
