/**
 * The API of widemerge: what the commands `merge`, `plan` and `verify` do, as functions. The work is done in a child process
 * under the memory guard, as it is from the command line. Variables and configuration files are not read.
 */
import { runControlled } from "./app/controlled-task.ts";
import { runGuarded, type TaskObserver } from "./app/guarded-task.ts";
import { mergePair } from "./app/merge-pair.ts";
import { parsePair } from "./app/task-pair.ts";
import { verifyTarget } from "./app/verify-target.ts";
import { resolveOptions } from "./config/resolve.ts";
import type { Renames } from "./model/column-names.ts";
import type { Plan } from "./model/plan.ts";
import type { PairResult, Verification } from "./model/result.ts";
import type {
  AssemblyChoice,
  ColumnNaming,
  DuplicatePolicy,
  KeyCast,
  NullKeyPolicy,
  VerifyLevel,
} from "./model/settings.ts";
import type { TaskControl } from "./model/task-control.ts";

export type { Renames } from "./model/column-names.ts";
export { ExitCode, type Outcome } from "./model/exit-code.ts";
export { Failure, type Problem } from "./model/failure.ts";
export type { MemoryRecord, MemorySample, StageName, Traffic } from "./model/measurement.ts";
export type { Assembly, ColumnLineage, InputFile, Plan, TableAction, TablePlan } from "./model/plan.ts";
export type { PairResult, StageTime, Verification } from "./model/result.ts";
export type {
  AssemblyChoice,
  ColumnNaming,
  DuplicatePolicy,
  KeyCast,
  NullKeyPolicy,
  VerifyLevel,
} from "./model/settings.ts";
export type { ProgressEvent, TaskControl } from "./model/task-control.ts";

/**
 * A size in bytes: a number, or a text with a unit, such as "8GiB" (8 × 2^30 bytes) or "8GB" (8 × 10^9 bytes).
 */
export type Size = number | string;

/** Where the files are, how they are read, and how much memory a task may use. */
export interface CommonOptions extends TaskControl {
  /** Folder that holds `<pair>/<table>.parquet`, or `gs://bucket/prefix`. Default: "checkpoints". */
  readonly input?: string;
  /** Pairs by the names of their folders, where these differ, such as `{ "ES=F": "es_f" }`. Default: none. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Folder of `training_<pair>.parquet` and its manifest, or `gs://bucket/prefix`. Default: "training". */
  readonly output?: string;
  /** Name of the key column. Default: "interval_time". */
  readonly key?: string;
  /** How keys are read before they are compared: text as timestamps, timestamps without a time zone as UTC. Default: "none". */
  readonly keyCast?: KeyCast;
  /** What to do with rows of a feature table that share a key. Default: "error". */
  readonly duplicates?: DuplicatePolicy;
  /** What to do with rows of a feature table that have no key. Default: "error". */
  readonly nullKeys?: NullKeyPolicy;
  /** Memory that this process and its child must not exceed. Default, "auto": the container's limit, or 80% of the free memory, at most 50 GiB. */
  readonly memoryCeiling?: "auto" | Size;
  /** Working set at which the task slows down. Default, "auto": 90% of the ceiling. */
  readonly memoryWarn?: "auto" | Size;
  /** Memory that must be free at the start. Default: 0. */
  readonly memoryFree?: Size;
  /** "process": count only the memory of this process and its child, for several tasks side by side. Default: "container". */
  readonly memoryScope?: "container" | "process";
  /** Endpoint of a Cloud Storage emulator, such as "http://127.0.0.1:4443". */
  readonly gcsEndpoint?: string;
  /** Seconds without progress after which a request to Cloud Storage is retried. Default: 60. */
  readonly stallSeconds?: number;
}

/** Options of `plan`. */
export interface PlanOptions extends CommonOptions {
  /** Name of the pair, such as "audusd". */
  readonly pair: string;
  /** Name of the targets table. Default: "targets". */
  readonly targets?: string;
  /** Feature tables to merge, by patterns of their names: "*" for any characters, "?" for one. Default: all. */
  readonly tables?: readonly string[];
  /** Tables to leave out, by patterns of their names. Default: none. */
  readonly excludeTables?: readonly string[];
  /** Number of Parquet files that the pair must have, targets and excluded tables included, or a file that lists the table names. */
  readonly expectTables?: number | string;
  /** Refuse a checkpoint without its `_COMPLETE` marker. Default: true. */
  readonly requireMarker?: boolean;
  /** Warn of a feature table that has fewer than this share of the targets' keys, in percent. Default: "50%". */
  readonly minMatch?: number | string;
  /** Names of output columns: "prefix" is `<table>_<column>`, "keep" the input's names. Default: "prefix". */
  readonly naming?: ColumnNaming;
  /** Text between table and column in the names of output columns. Default: "_". */
  readonly separator?: string;
  /** New names of input columns, by `column` or `table/column`. Default: none. */
  readonly rename?: Renames;
  /** Keep the columns in which pandas saves an index without a name. Default: false. */
  readonly keepIndex?: boolean;
  /** Rows in each row group of the output. Default, "auto": as in most of the input. */
  readonly rowGroupRows?: "auto" | number;
  /** How an output in a bucket is assembled. Default, "auto": composed by Cloud Storage where possible, else streamed. */
  readonly assembly?: AssemblyChoice;
  /** Disk space that must be free at the start. Default, "auto": the size of the output. */
  readonly diskFree?: "auto" | Size;
}

/** Options of `merge`. */
export interface MergeOptions extends PlanOptions {
  /** How much of the output is checked before it is published. Default: "structure". */
  readonly verify?: VerifyLevel;
  /** Replace an output that was made from other inputs or settings. Default: false. */
  readonly replace?: boolean;
  /** Flush the output to disk before it is published. Default: true. */
  readonly sync?: boolean;
}

/** Options of `verify`. */
export interface VerifyOptions extends CommonOptions {
  /** A pair, such as "audusd", or the path of a Parquet file. */
  readonly target: string;
  /** How much to check. Default: "structure". */
  readonly level?: VerifyLevel;
}

/**
 * Merges the feature tables of a pair and its targets into one wide Parquet file and publishes it with its manifest.
 * A pair that is done already is left as it is: `outcome` says so.
 * @throws Failure with an exit code and every problem
 */
export function merge(options: MergeOptions): Promise<PairResult> {
  const { pair, onProgress, signal, ...given } = options;
  const start = async (observer: TaskObserver) => mergePair(parsePair(pair), resolveOptions(given).settings, observer);
  return runControlled(start, { onProgress, signal });
}

/**
 * Finds out what `merge` would do: reads footers and key columns, and writes nothing.
 * @throws Failure with an exit code and every problem
 */
export async function plan(options: PlanOptions): Promise<Plan> {
  const { pair, onProgress, signal, ...given } = options;
  const start = async (observer: TaskObserver) => {
    const { settings } = resolveOptions(given);
    return runGuarded({ command: "plan", pair: parsePair(pair), settings }, settings, observer);
  };
  const { report } = await runControlled(start, { onProgress, signal });
  if (report?.command !== "plan") throw new Error("the child process ended without a plan");
  return report.plan;
}

/**
 * Checks the output of a pair, or a Parquet file.
 * @throws Failure with an exit code and every problem; exit code 5 when the file fails the check
 */
export async function verify(options: VerifyOptions): Promise<Verification> {
  const { target, level, onProgress, signal, ...given } = options;
  const start = async (observer: TaskObserver) => {
    const options = resolveOptions({ ...given, verify: level });
    return verifyTarget(target, options.settings.verify, options, observer);
  };
  const { verification } = await runControlled(start, { onProgress, signal });
  if (verification === undefined) throw new Error("the child process ended without a verification");
  return verification;
}
