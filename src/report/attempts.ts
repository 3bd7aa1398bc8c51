import { outcomeOf } from "../model/exit-code.ts";
import type { Attempt, WorkerRecord } from "../model/run.ts";

const disruptions = /^(DisruptionTarget|Evicted|Preempt|NodeShutdown|NodeLost|Shutdown|Terminated)/;

/** How an attempt stands or ended: by the backend's reason where it has a telling one, else by the exit code. */
export function describeEnd(attempt: Attempt, record: WorkerRecord | undefined): string {
  const exitCode = record?.exitCode ?? attempt.exitCode;
  // A container can be killed for its memory and still leave 0 behind.
  if (attempt.reason === "OOMKilled") return "out of memory";
  if (exitCode === 0) return record?.result.outcome ?? "done";
  if (disruptions.test(attempt.reason ?? "")) return "disrupted";
  if (exitCode !== undefined) return describeCode(exitCode);
  return attempt.end === undefined ? describeOpen(attempt) : describeCode(attempt.signal === undefined ? 1 : 137);
}

function describeCode(exitCode: number): string {
  const outcome = Object.entries(outcomeOf).find(([code]) => Number(code) === exitCode)?.[1];
  if (outcome !== undefined) return outcome;
  if (exitCode === 134) return "out of memory";
  return exitCode === 137 ? "killed" : "failed";
}

function describeOpen(attempt: Attempt): string {
  return attempt.start === undefined ? "waiting" : "running";
}

/** Seconds that an attempt has taken, until `at` while it runs. */
export function secondsOf(attempt: Attempt, at: string): number {
  if (attempt.start === undefined) return 0;
  const end = Date.parse(attempt.end ?? at);
  return Math.max(0, (end - Date.parse(attempt.start)) / 1000);
}

/** Largest working set of an attempt in bytes; undefined where its worker left no record. */
export function peakOf(record: WorkerRecord | undefined): number | undefined {
  return record === undefined ? undefined : record.memory.peakBytes;
}
