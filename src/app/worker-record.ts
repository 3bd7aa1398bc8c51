import { writeFileSync } from "node:fs";
import { hostname } from "node:os";
import type { Settings } from "../config/settings.ts";
import { findCloudRunAttempt } from "../model/cloudrun-attempt.ts";
import { describeProblem, toFailure } from "../model/failure.ts";
import type { MemoryRecord } from "../model/measurement.ts";
import type { PairResult } from "../model/result.ts";
import type { WorkerRecord } from "../model/run.ts";
import { formatCount, formatMemory, formatSeconds } from "../model/units.ts";
import { formatDocument, runPaths } from "../run/documents.ts";
import { retryTransient } from "../run/transient-retry.ts";
import { createStore } from "../store/create-store.ts";
import { log } from "./log.ts";

/** Milliseconds for which a store may be out of reach: whoever told this worker to stop does not wait long. */
const patience = { milliseconds: 15_000, firstPause: 250, onFailure: () => undefined };
/** Kubernetes keeps 4096 bytes of a message. */
const messageBytes = 2000;

/** How a worker of a run ended, and when it began (RFC 3339). */
export interface WorkerEnd {
  readonly start: string;
  readonly result: PairResult;
  readonly memory: MemoryRecord;
}

/**
 * Leaves word of how a merge ended, for whoever watches the run: a record in the run's folder, one line where the
 * container's runtime looks for it. Changes nothing about the end itself: the output and its manifest are what counts.
 */
export async function leaveWord(settings: Settings, end: WorkerEnd): Promise<void> {
  try {
    if (settings.run !== undefined) await writeRecord(settings, settings.run, end);
  } catch (error) {
    log("warn", `the record of this merge could not be written: ${toFailure(error).message}`);
  }
  const path = process.env.TERMINATION_MESSAGE_PATH;
  try {
    if (path !== undefined && path !== "") writeFileSync(path, summarise(end.result).slice(0, messageBytes));
  } catch (error) {
    log("warn", `${path} could not be written: ${toFailure(error).message}`);
  }
}

async function writeRecord(settings: Settings, run: string, { start, result, memory }: WorkerEnd): Promise<void> {
  const attempt = settings.attempt ?? findCloudRunAttempt(process.env) ?? nameHost();
  // The measurements stand once in the record.
  const { memory: _, ...rest } = result;
  const record: WorkerRecord = {
    format: 1,
    run,
    attempt,
    pair: result.pair,
    start,
    end: new Date().toISOString(),
    exitCode: result.exitCode,
    result: rest,
    memory,
  };
  const store = await createStore(settings, [settings.output]);
  const path = runPaths(store, settings.output, run).result(result.pair, attempt);
  await retryTransient(() => store.writeText(path, formatDocument(record)), patience);
}

function nameHost(): string {
  return hostname().replace(/[^A-Za-z0-9._-]/g, "-") || "worker";
}

/** "audusd: exit 4 memory ceiling: …", one line. */
export function summarise(result: PairResult): string {
  const { pair, exitCode, outcome, rows, columns, seconds, peakMemoryBytes, ceilingBytes, problems } = result;
  const [first] = problems;
  const peak = `peak ${formatMemory(peakMemoryBytes)} of ${formatMemory(ceilingBytes)}`;
  const told =
    first === undefined
      ? `${formatCount(rows)} rows × ${formatCount(columns)} columns`
      : describeProblem(first).replaceAll(/\s+/g, " ");
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  return `${pair}: exit ${exitCode} ${outcome}: ${told}${more}; ${formatSeconds(seconds)}, ${peak}\n`;
}
