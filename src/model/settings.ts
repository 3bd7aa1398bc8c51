import type { Renames } from "./column-names.ts";
import type { Folders } from "./folders.ts";
import type { TableChoice } from "./table-choice.ts";

/** The settings that the rooms work with, as plain values. `config/` reads them from flags, variables and a file. */

export type VerifyLevel = "structure" | "sample" | "full";

/** What to do with rows of a feature table that share a key. */
export type DuplicatePolicy = "error" | "first" | "last";

/** What to do with rows of a feature table that have no key. */
export type NullKeyPolicy = "error" | "drop";

/** Names of the output columns: `<table>_<column>`, or the unchanged names of the input. */
export type ColumnNaming = "prefix" | "keep";

/**
 * How keys are read before they are compared: as they are stored; text as timestamps without a time zone; or text and
 * timestamps without a time zone as UTC.
 */
export type KeyCast = "none" | "timestamp" | "timestamp-utc";

export type AssemblyChoice = "auto" | "stream" | "compose";

/** Settings that change the bytes of an output. */
export interface OutputSettings {
  /** Name of the key column. */
  readonly key: string;
  /** Name of the targets table. */
  readonly targets: string;
  readonly duplicates: DuplicatePolicy;
  readonly naming: ColumnNaming;
  /** Between table and column in the name of an output column. */
  readonly separator: string;
  /** Keep the columns in which pandas saves an index without a name. */
  readonly keepIndex: boolean;
  /** New names of input columns, by `column` or `table/column`. */
  readonly rename: Renames;
  readonly keyCast: KeyCast;
  /** Rows of each row group of the output. */
  readonly rowGroupRows: "auto" | number;
}

/** Which feature tables are refused for their keys: it decides whether there is an output, never its bytes. */
export interface KeyPolicies {
  readonly nullKeys: NullKeyPolicy;
  /**
   * Percentage of the targets' keys below which a table is warned of. A table that has none of them is refused, unless this
   * is 0: then its columns are null.
   */
  readonly minMatch: number;
}

/** When a checkpoint counts as complete. */
export interface CompletenessSettings {
  readonly requireMarker: boolean;
  /** Number of tables, or the path of a file that lists their names. */
  readonly expectTables?: number | string | undefined;
}

/** Where a checkpoint is, when it is complete, and which of its tables are merged. */
export interface CheckpointSettings extends CompletenessSettings, TableChoice {
  /** Folder that holds `<pair>/<table>.parquet`. */
  readonly input: string;
  /** Pairs whose folders have other names. */
  readonly folders: Folders;
  /** Name of the targets table. */
  readonly targets: string;
}

/** How to reach the stores. */
export interface StoreSettings {
  /** Flush files to disk before they are published. */
  readonly sync: boolean;
  /** Endpoint of a Cloud Storage emulator. */
  readonly gcsEndpoint?: string | undefined;
  /** The run id, which is part of the names of scratch objects. */
  readonly run?: string | undefined;
  /** Seconds without a byte after which a request is retried. */
  readonly stallSeconds: number;
}

/** All settings of the merge of one pair. */
export interface MergeSettings extends OutputSettings, KeyPolicies, CheckpointSettings, StoreSettings {
  /** Folder for outputs and manifests. */
  readonly output: string;
  readonly verify: VerifyLevel;
  /** Replace an output that was made from other inputs or settings. */
  readonly replace: boolean;
  /** Free disk space to require, in bytes; "auto": the size of the output. */
  readonly diskFree: "auto" | number;
  readonly assembly: AssemblyChoice;
}

/** All settings of a run that concern its pairs. */
export interface RunSettings extends OutputSettings, KeyPolicies, CheckpointSettings {
  readonly output: string;
  /** Retries of a pair after a storage or network failure. */
  readonly retries: number;
  /** Retries of a pair after an unexpected failure. */
  readonly retriesUnexpected: number;
  /** Memory ceilings in bytes, in rising order, for retries of a pair that ran out of memory. */
  readonly memoryCeilings: readonly number[];
  /** Cost limit of the run in US$. */
  readonly maxCost?: number | undefined;
}
