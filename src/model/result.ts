import type { ExitCode, Outcome } from "./exit-code.ts";
import type { Problem } from "./failure.ts";
import type { MemoryRecord, StageName, Traffic } from "./measurement.ts";
import type { PartialTable } from "./partial-table.ts";
import type { ChangedType, ColumnLineage, Plan, TableAction } from "./plan.ts";
import type { OutputSettings, VerifyLevel } from "./settings.ts";

/** The document that `merge --json` prints. Sizes are in bytes, times in seconds. */
export interface PairResult {
  readonly pair: string;
  readonly outcome: Outcome;
  readonly exitCode: ExitCode;
  readonly rows: number;
  readonly columns: number;
  readonly tables: { readonly total: number; readonly spliced: number; readonly aligned: number };
  /** Tables that do not have exactly the targets' rows, the worst first. */
  readonly partialTables: readonly PartialTable[];
  /** Names in the checkpoint's folder that are no tables. */
  readonly ignored: readonly string[];
  readonly bytes: { readonly read: number; readonly written: number };
  readonly peakMemoryBytes: number;
  readonly predictedPeakBytes: number;
  readonly ceilingBytes: number;
  readonly seconds: number;
  readonly stages: readonly StageTime[];
  readonly output: string;
  readonly manifest: string;
  readonly problems: readonly Problem[];
  readonly memory?: MemoryRecord;
  /** Present where inputs or output are in a bucket. */
  readonly traffic?: Traffic;
}

export interface StageTime {
  readonly stage: StageName;
  readonly seconds: number;
}

/** What a child returns when it succeeds. */
export type WorkerReport =
  | { readonly command: "merge"; readonly result: Omit<PairResult, "peakMemoryBytes" | "seconds" | "memory"> }
  | { readonly command: "plan"; readonly plan: Plan }
  | { readonly command: "verify"; readonly verification: Verification };

/** What a verification checked, and the problems it found. */
export interface Verification {
  readonly target: string;
  readonly level: VerifyLevel;
  readonly rows: number;
  readonly columns: number;
  readonly rowGroups: number;
  readonly pages: number;
  readonly columnsCompared: number;
  readonly valuesCompared: number;
  readonly problems: readonly Problem[];
}

/**
 * `training_<pair>.manifest.json`: the origin of every column, and what was checked. The manifest is written last: a pair
 * with a manifest is done.
 */
export interface Manifest {
  readonly format: 1;
  readonly widemerge: string;
  readonly pair: string;
  readonly digest: string;
  readonly output: { readonly name: string; readonly size: number; readonly crc32c: string };
  readonly rows: number;
  readonly columns: number;
  readonly rowGroups: readonly number[];
  readonly inputs: readonly ManifestInput[];
  /** Tables of the checkpoint that `tables` and `excludeTables` left out; absent in manifests of version 0.1.0. */
  readonly excluded?: readonly string[];
  /** Names in the checkpoint's folder that were no tables; absent in manifests of version 0.1.0. */
  readonly ignored?: readonly string[];
  readonly verification: Verification;
  readonly memory: {
    readonly peakBytes: number;
    readonly predictedBytes: number;
    readonly ceilingBytes: number;
    readonly source: string;
  };
  readonly stages: readonly StageTime[];
  readonly settings: OutputSettings;
}

export interface ManifestInput {
  readonly table: string;
  /** A full path, or an object in Cloud Storage. */
  readonly path: string;
  readonly size: number;
  readonly version: string;
  readonly crc32c: string;
  readonly action: TableAction;
  readonly reason: string;
  readonly rows: number;
  readonly rowsDropped: number;
  readonly rowsNullFilled: number;
  readonly duplicateRows: number;
  /** Rows without a key, which are not in the output; absent in manifests of version 0.1.0, which refused such tables. */
  readonly nullKeyRows?: number;
  /**
   * Whether the CRC32 in page headers, where there were any, was compared with the pages as they passed. The pages of an
   * object that Cloud Storage composed into the output did not pass.
   */
  readonly pageChecksums: "checked" | "unchecked";
  /** Output column ← input column, in order. A list, because an object would sort names that are numbers. */
  readonly columns: readonly ColumnLineage[];
  /** The input's name of the key, where it is not that of the settings. */
  readonly key?: string;
  /** Columns in which pandas saved an index, which are not in the output; absent for none. */
  readonly leftOut?: readonly string[];
  /** Columns whose types only the input's Arrow schema knows; absent for none. */
  readonly changedTypes?: readonly ChangedType[];
}
