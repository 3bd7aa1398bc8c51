/**
 * A run: many pairs, merged by workers that a backend starts. Plain data, kept in the store under `<output>/runs/<run>/`:
 * the next controller continues the run of one that was killed.
 */
import type { BackendName } from "./backend-name.ts";
import type { Cause, Ending, Seen } from "./ending.ts";
import type { ExitCode } from "./exit-code.ts";
import type { MemoryRecord } from "./measurement.ts";
import type { WorkerOutcome } from "./outcome.ts";
import type { PartialTable } from "./partial-table.ts";
import type { TaskProgress } from "./progress.ts";
import type { PairResult } from "./result.ts";
import type { CompletenessSettings } from "./settings.ts";

/** One pair of a launch, with its completion index from 0. */
export interface LaunchTask {
  readonly index: number;
  readonly pair: string;
}

/**
 * Some pairs that a backend is to start once each, all with one memory ceiling. A run has one launch for all of its pairs
 * and another one for each retry. `run` and `number` identify the launch: submitting it again changes nothing.
 */
export interface Launch {
  readonly run: string;
  /** Counted from 0. */
  readonly number: number;
  readonly tasks: readonly LaunchTask[];
  readonly ceilingBytes: number;
  /** The maximum number of pairs of this launch that are merged at the same time. */
  readonly parallelism: number;
  /** Capacity that costs less and can be taken away at any time. */
  readonly spot: boolean;
  /**
   * Whether workers of another launch may run on the same machine at the same time. Each worker then measures only its own
   * memory.
   */
  readonly sharesMachine?: boolean;
  /** The generation of the controller that planned it; absent in launches of version 0.1.0. */
  readonly generation?: number;
}

/** Identifies a launch in its backend. Plain data, kept in run.json. */
export interface Handle {
  readonly backend: BackendName;
  /** The backend's own name for it: a Job, an execution, a process group. */
  readonly name: string;
  readonly launch: Launch;
}

/** The state of a task, the same for all backends. */
export type TaskState = "waiting" | "running" | "succeeded" | "failed" | "cancelled";

export interface TaskStatus {
  readonly index: number;
  readonly pair: string;
  readonly state: TaskState;
  /** Every attempt that the backend still knows, oldest first. */
  readonly attempts: readonly Attempt[];
  /** The progress of the running attempt, where the backend knows it. */
  readonly progress?: TaskProgress;
}

/** A launch and the status of each of its tasks, by index. */
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

/** `results/<pair>/<attempt>.json`: how an attempt ended, written by its worker. */
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

/** `run.json`: the request, and every launch so far. Written before a launch is submitted. */
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
  /** Pairs that were done before the run began. */
  readonly doneBefore: readonly string[];
  readonly cancelled: boolean;
  /** The settings that change the bytes of the outputs: a run can only continue with the same ones. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** The settings that say when a checkpoint is complete: with `settings`, they decide whether a pair is done. */
  readonly completeness?: CompletenessSettings;
  /** The retries and the ceiling that were last requested. */
  readonly policy?: {
    /** Bytes: the ceiling of a pair until it runs out of memory; absent in records of version 0.1.0. */
    readonly ceilingBytes?: number;
    readonly retries: number;
    readonly retriesUnexpected: number;
    /** Bytes. */
    readonly memoryCeilings: readonly number[];
  };
  /** A launch that is being submitted. After a kill its fate is unknown, so it is submitted again. */
  readonly pending?: Launch;
  /**
   * Raised by every controller that opens the run, first of all its writes: 1 for the first one. A controller, a launch or
   * a worker of an earlier generation has been replaced. Absent in records of version 0.1.0.
   */
  readonly generation?: number;
  /** The name of the controller of this generation, so that two controllers never write the same record. */
  readonly controller?: string;
  /** The first launch whose failures count: a finished run that is started again has all of its retries. */
  readonly countFrom?: number;
}

export type PairState = "done before" | "done" | "waiting" | "running" | "failed" | "cancelled";

/** Everything that is known about one pair of a run. Reports are made from it. */
export interface PairOutcome {
  readonly pair: string;
  readonly state: PairState;
  /** The attempts of all launches, oldest first, including failed ones. */
  readonly attempts: readonly AttemptOutcome[];
  /** The records that workers left. A worker that was killed left none. */
  readonly records: readonly WorkerRecord[];
  readonly failures: Readonly<Record<Cause, number>>;
  /** Facts from the manifest; absent until the pair is done. */
  readonly output?: PairOutput;
  /** The progress of the running attempt, where the backend knows it. */
  readonly progress?: TaskProgress;
  /** The reason for the state, in one line: the last failure, or why nothing was to be done. */
  readonly why?: string;
}

export interface PairOutput {
  readonly rows: number;
  readonly columns: number;
  readonly sizeBytes: number;
  readonly inputBytes: number;
  /** Spliced and aligned tables of each family: the table name up to its first "_" or digit. */
  readonly families: Readonly<Record<string, { readonly spliced: number; readonly aligned: number }>>;
  readonly predictedPeakBytes: number;
  /** Tables that do not have exactly the targets' rows, the worst first. */
  readonly partialTables: readonly PartialTable[];
}

/** A snapshot of a run: the record and every pair, in the order of the record. */
export interface RunView {
  readonly record: RunRecord;
  /** RFC 3339: the time of the snapshot. */
  readonly at: string;
  readonly pairs: readonly PairOutcome[];
}
