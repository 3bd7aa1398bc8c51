import { writeFileSync } from "node:fs";
import { hostname } from "node:os";
import type { Settings } from "../config/settings.ts";
import { findCloudRunAttempt } from "../model/cloudrun-attempt.ts";
import { toFailure } from "../model/failure.ts";
import type { MemoryRecord } from "../model/measurement.ts";
import { encodeOutcome, outcomeVariable, toOutcome, type WorkerOutcome } from "../model/outcome.ts";
import type { PairResult } from "../model/result.ts";
import type { WorkerRecord } from "../model/run.ts";
import { formatDocument, runPaths } from "../run/documents.ts";
import { retryTransient } from "../run/transient-retry.ts";
import { createStore } from "../store/create-store.ts";
import { log } from "./log.ts";

/** A worker that was told to stop has 25 seconds: an unreachable store may take 15 of them. In milliseconds. */
const patience = { milliseconds: 15_000, firstPause: 250, onFailure: () => undefined };

/** How a worker of a run ended, and when it began (RFC 3339). */
export interface WorkerEnd {
  readonly start: string;
  readonly result: PairResult;
  readonly memory: MemoryRecord;
  readonly progress?: WorkerOutcome["progress"];
}

/**
 * Leaves how a merge ended for the controller of its run: the record in the run's folder, and the outcome where the
 * backend reads it. Failures here are only logged: the output and its manifest decide whether a pair is done.
 */
export async function leaveOutcome(settings: Settings, end: WorkerEnd): Promise<void> {
  try {
    if (settings.run !== undefined) await writeRecord(settings, settings.run, end);
  } catch (error) {
    log("warn", `the record of this merge could not be written: ${toFailure(error).message}`);
  }
  writeOutcome(toOutcome(end.result, end.progress));
}

/** Writes the outcome of this process where its backend reads it; does nothing outside of a backend. */
export function writeOutcome(outcome: WorkerOutcome): void {
  const path = process.env[outcomeVariable];
  if (path === undefined || path === "") return;
  try {
    writeFileSync(path, encodeOutcome(outcome));
  } catch (error) {
    log("warn", `the outcome of this merge could not be written: ${toFailure(error).message}`);
  }
}

async function writeRecord(settings: Settings, run: string, { start, result, memory }: WorkerEnd): Promise<void> {
  const attempt = settings.attempt ?? findCloudRunAttempt(process.env) ?? nameHost();
  // The record has the measurements once.
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
  const store = createStore(settings);
  const path = runPaths(store, settings.output, run).result(result.pair, attempt);
  await retryTransient(() => store.writeText(path, formatDocument(record)), patience);
}

function nameHost(): string {
  return (
    hostname()
      .replace(/[^A-Za-z0-9._-]/g, "-")
      .replace(/^[._-]+/, "")
      .slice(0, 120) || "worker"
  );
}
