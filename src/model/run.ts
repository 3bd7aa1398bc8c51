/**
 * A run: many pairs fanned out over a backend, watched, gathered. Plain data, kept in the store under
 * `<output>/runs/<run>/`, so that a controller that was killed finds everything again.
 */
import type { BackendName } from "./backend-name.ts";
import type { Cause, Ending, Seen } from "./ending.ts";
import type { ExitCode } from "./exit-code.ts";
import type { MemoryRecord } from "./measurement.ts";
import type { WorkerOutcome } from "./outcome.ts";
import type { TaskProgress } from "./progress.ts";
import type { PairResult } from "./result.ts";

/** One pair of a launch: its completion index, from 0. */
export interface LaunchTask {
  readonly index: number;
  readonly pair: string;
}

/**
 * What a backend is asked to start: some pairs, each of them once, all with one ceiling. A run has one launch for all of
 * its pairs and another one for each retry. `run` and `number` name it, so that a second submit of the same launch
 * changes nothing.
 */
export interface Launch {
  readonly run: string;
  /** From 0 on. */
  readonly number: number;
  readonly tasks: readonly LaunchTask[];
  readonly ceilingBytes: number;
  /** Pairs of this launch at work at the same time. */
  readonly parallelism: number;
  /** Capacity that costs less and can be taken away at any time. */
  readonly spot: boolean;
  /**
   * Whether another launch's workers may be at work on the same machine at the same time; each worker then measures its
   * own memory only.
   */
  readonly sharesMachine?: boolean;
}

/** How the backend finds a launch again; plain data, kept in run.json. */
export interface Handle {
  readonly backend: BackendName;
  /** The backend's own name for it: a Job, an execution, a process group. */
  readonly name: string;
  readonly launch: Launch;
}

/** Where a task stands, in the words that all backends share. */
export type TaskState = "waiting" | "running" | "succeeded" | "failed" | "cancelled";

export interface TaskStatus {
  readonly index: number;
  readonly pair: string;
  readonly state: TaskState;
  /** Every start of this task that the backend still knows of, oldest first. */
  readonly attempts: readonly Attempt[];
  /** What the backend can tell of the attempt at work. */
  readonly progress?: TaskProgress;
}

/** A launch, and how each of its tasks stands, by index. */
export interface LaunchStatus {
  readonly launch: Launch;
  readonly statuses: readonly TaskStatus[];
}

/** One start of a pair's worker, as the backend saw it. Start and end are RFC 3339. */
export interface Attempt extends Seen {
  /** Unique within the run: a pod's name, or a random name. The worker's record has the same id. */
  readonly id: string;
  readonly launch: number;
  /** Requested virtual CPUs. */
  readonly vcpu: number;
  /** Requested memory in bytes. */
  readonly memoryBytes: number;
  readonly spot: boolean;
  /** One line for people, from the worker or the backend. */
  readonly message?: string;
  /** What the worker left where its backend can read it. */
  readonly outcome?: WorkerOutcome;
}

/** An attempt and how it ended. */
export interface AttemptOutcome extends Attempt {
  readonly ending: Ending;
}

/** The largest working set of an attempt in bytes; undefined where its worker left nothing. */
export function attemptPeak(attempt: Attempt, records: readonly WorkerRecord[]): number | undefined {
  const record = records.find((own) => own.attempt === attempt.id);
  return record?.memory.peakBytes ?? attempt.outcome?.peakMemoryBytes;
}

/** Seconds from an attempt's start to its end, or to `at` (RFC 3339) while it runs; 0 before it starts. */
export function attemptSeconds({ start, end }: Attempt, at: string): number {
  return start === undefined ? 0 : Math.max(0, (Date.parse(end ?? at) - Date.parse(start)) / 1000);
}

/** `results/<pair>/<attempt>.json`: what a worker says of itself when it ends, well or badly. */
export interface WorkerRecord {
  readonly format: 1;
  readonly run: string;
  readonly attempt: string;
  readonly pair: string;
  /** RFC 3339. */
  readonly start: string;
  readonly end: string;
  readonly exitCode: ExitCode;
  readonly result: PairResult;
  readonly memory: MemoryRecord;
}

/** `run.json`: what was asked for, and every launch so far. Written before a launch is submitted. */
export interface RunRecord {
  readonly format: 1;
  readonly run: string;
  readonly widemerge: string;
  /** RFC 3339. */
  readonly created: string;
  readonly finished?: string;
  readonly backend: BackendName;
  readonly input: string;
  readonly output: string;
  readonly pairs: readonly string[];
  readonly handles: readonly Handle[];
  /** Pairs that had a valid manifest before the run began, and why they were left alone. */
  readonly doneBefore: readonly string[];
  readonly cancelled: boolean;
  /** The settings that change the outputs' bytes: a run goes on only with the same. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** What was allowed to be tried again, as it was last asked for. */
  readonly policy?: {
    readonly retries: number;
    readonly retriesUnexpected: number;
    /** Bytes. */
    readonly memoryCeilings: readonly number[];
  };
  /** A launch that is being submitted: after a kill nobody knows whether it was, so it is submitted again. */
  readonly pending?: Launch;
  /** Number of the first launch whose failures count: a run that was over and is started again begins anew. */
  readonly countFrom?: number;
}

export type PairState = "done before" | "done" | "waiting" | "running" | "failed" | "cancelled";

/** All that is known of one pair of a run; what reports are made from. */
export interface PairOutcome {
  readonly pair: string;
  readonly state: PairState;
  /** Over all launches, oldest first; failed ones too. */
  readonly attempts: readonly AttemptOutcome[];
  /** What the workers said of themselves, by attempt id; a killed worker said nothing. */
  readonly records: readonly WorkerRecord[];
  readonly failures: Readonly<Record<Cause, number>>;
  /** From the manifest; absent until the pair is done. */
  readonly output?: PairOutput;
  /** What the backend can tell of the attempt at work. */
  readonly progress?: TaskProgress;
  /** Why the pair is where it is, in one line: what its last failure was, why it waits, why it was left alone. */
  readonly why?: string;
}

export interface PairOutput {
  readonly rows: number;
  readonly columns: number;
  readonly sizeBytes: number;
  readonly inputBytes: number;
  /** Tables by family: the name up to the pair's, or up to its first "_" or digit. */
  readonly families: Readonly<Record<string, { readonly spliced: number; readonly aligned: number }>>;
  readonly predictedPeakBytes: number;
}

/** A run at one moment: the record and every pair, in the record's order. */
export interface RunView {
  readonly record: RunRecord;
  /** RFC 3339: when this was put together. */
  readonly at: string;
  readonly pairs: readonly PairOutcome[];
}
