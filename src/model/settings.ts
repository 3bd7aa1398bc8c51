/** The settings that the rooms work with, as plain values. `config/` makes them from flags, variables and a file. */

export type VerifyLevel = "structure" | "sample" | "full";

/** What happens to rows of a feature table that share a key. */
export type DuplicatePolicy = "error" | "first" | "last";

/** Output column names: `<table>_<column>`, or the input's names as they are. */
export type ColumnNaming = "prefix" | "keep";

export type AssemblyChoice = "auto" | "stream" | "compose";

/** Settings that change the bytes of an output. */
export interface OutputSettings {
  /** Name of the key column. */
  readonly key: string;
  /** Name of the targets table. */
  readonly targets: string;
  readonly duplicates: DuplicatePolicy;
  readonly naming: ColumnNaming;
  /** Rows of each row group of the output. */
  readonly rowGroupRows: "auto" | number;
}

/** What a complete checkpoint is. */
export interface CheckpointSettings {
  /** Folder that holds `<pair>/<table>.parquet`. */
  readonly input: string;
  /** Name of the targets table. */
  readonly targets: string;
  readonly requireMarker: boolean;
  /** Number of tables, or the path of a file that lists their names. */
  readonly expectTables?: number | string | undefined;
}

/** How stores are reached. */
export interface StoreSettings {
  /** Flush files to disk before they are published. */
  readonly sync: boolean;
  /** Endpoint of a Cloud Storage emulator. */
  readonly gcsEndpoint?: string | undefined;
  /** The run that scratch objects are named after. */
  readonly run?: string | undefined;
  /** Seconds without a byte after which a request is tried again. */
  readonly stallSeconds: number;
}

/** Everything that the merge of one pair is told. */
export interface MergeSettings extends OutputSettings, CheckpointSettings, StoreSettings {
  /** Folder for outputs and manifests. */
  readonly output: string;
  readonly verify: VerifyLevel;
  /** Replace an output that was made from other inputs or settings. */
  readonly replace: boolean;
  /** Bytes of disk space that must be free; "auto": what the output needs. */
  readonly diskFree: "auto" | number;
  readonly assembly: AssemblyChoice;
}

/** Everything that the controller of a run is told about its pairs. */
export interface RunSettings extends OutputSettings, CheckpointSettings {
  readonly output: string;
  /** Retries of a pair after storage or network failed. */
  readonly retries: number;
  /** Retries of a pair after an unexpected failure. */
  readonly retriesUnexpected: number;
  /** Bytes, rising: ceilings for retries of a pair that ran out of memory. */
  readonly memoryCeilings: readonly number[];
  /** US$ that the run may cost. */
  readonly maxCost?: number | undefined;
}
