import type { Settings } from "../config/settings.ts";
import { ExitCode, outcomeOf } from "../model/exit-code.ts";
import { type Failure, toFailure } from "../model/failure.ts";
import { readPlace } from "../model/generation.ts";
import type { MemoryRecord } from "../model/measurement.ts";
import { nameOutputs } from "../model/output-names.ts";
import { progressVariable } from "../model/progress.ts";
import type { PairResult } from "../model/result.ts";
import { admitWorker } from "../run/admission.ts";
import { retryTransient } from "../run/transient-retry.ts";
import { createStore } from "../store/create-store.ts";
import { type GuardedEnd, runGuarded, type TaskObserver } from "./guarded-task.ts";
import { leaveOutcome } from "./worker-outcome.ts";
import { WorkerProgress } from "./worker-progress.ts";

/** Memory of a merge that could not be started. */
const unmeasured: MemoryRecord = { source: "rss", peakBytes: 0, ceilingBytes: 0, warnings: 0, samples: [] };

/** After these the child has staged nothing, or has removed it itself. */
const cleanEnds: ReadonlySet<ExitCode> = new Set([ExitCode.done, ExitCode.usage, ExitCode.input]);

/**
 * Merges a pair under the guard. The result says how the merge ended, also when it failed.
 * @throws Failure when the merge could not be started
 */
export async function mergePair(pair: string, settings: Settings, observer: TaskObserver): Promise<PairResult> {
  const end = await runGuarded({ command: "merge", pair, settings }, settings, observer);
  if (!cleanEnds.has(end.exitCode)) await sweep(settings, pair, observer);
  return toResult(pair, end);
}

/**
 * Merges a pair and leaves its progress and its outcome for the controller of its run.
 * @throws Failure when the merge could not be started; Failure (superseded), before any input is read and without a trace in
 * the run's folder, when the run's present controller has no place for this worker
 */
export async function mergeForRun(pair: string, settings: Settings, observer: TaskObserver): Promise<PairResult> {
  await admit(settings);
  const start = new Date().toISOString();
  try {
    const progress = new WorkerProgress(observer, process.env[progressVariable]);
    const result = await mergePair(pair, settings, progress);
    const { merged } = progress;
    const memory = result.memory ?? unmeasured;
    await leaveOutcome(settings, { start, result, memory, ...(merged === undefined ? {} : { progress: merged }) });
    return result;
  } catch (error) {
    await leaveOutcome(settings, { start, result: failedResult(pair, toFailure(error)), memory: unmeasured });
    throw error;
  }
}

/** Milliseconds: a store may be out of reach for a moment when a worker starts. */
const patience = { milliseconds: 15_000, firstPause: 250, onFailure: () => undefined };

async function admit(settings: Settings): Promise<void> {
  const place = readPlace(process.env);
  const { run, output } = settings;
  if (run === undefined || place === undefined) return;
  const store = createStore(settings);
  await retryTransient(() => admitWorker(store, { output, run, ...place }), patience);
}

/** The result of a merge that could not be started. */
export function failedResult(pair: string, { exitCode, problems }: Failure): PairResult {
  return toResult(pair, { exitCode, problems, memory: unmeasured, seconds: 0 });
}

/** A child that was killed could not remove what it had staged. If the store is out of reach, the next merge does it. */
async function sweep(settings: Settings, pair: string, observer: TaskObserver): Promise<void> {
  try {
    const store = createStore(settings);
    const names = Object.values(nameOutputs(pair));
    await store.sweep(...names.map((name) => store.join(settings.output, name)));
  } catch (error) {
    observer.onWarning?.(`staged files could not be removed: ${toFailure(error).message}`);
  }
}

function toResult(pair: string, end: GuardedEnd): PairResult {
  const { memory, seconds, report } = end;
  const measured = { peakMemoryBytes: memory.peakBytes, seconds, memory };
  if (report?.command === "merge" && end.exitCode === ExitCode.done) return { ...report.result, ...measured };
  return {
    pair,
    outcome: outcomeOf[end.exitCode],
    exitCode: end.exitCode,
    rows: 0,
    columns: 0,
    tables: { total: 0, spliced: 0, aligned: 0 },
    partialTables: [],
    ignored: [],
    bytes: { read: 0, written: 0 },
    predictedPeakBytes: 0,
    ceilingBytes: memory.ceilingBytes,
    stages: [],
    output: "",
    manifest: "",
    problems: end.problems,
    ...measured,
  };
}
