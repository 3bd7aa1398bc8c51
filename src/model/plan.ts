/** A Parquet file of a checkpoint, as the inventory saw it. */
export interface InputFile {
  /** Table name: the file name without ".parquet". */
  readonly table: string;
  /** Path for the store. */
  readonly path: string;
  /** Size in bytes. */
  readonly size: number;
  /** The store's word for "this very content": a modification time in nanoseconds, or an object generation. */
  readonly version: string;
  /** CRC32C of the content, 8 hexadecimal digits, where the store knows it without reading. */
  readonly crc32c?: string;
}

export type TableAction = "splice" | "align";

/** What happens to one table, and why. */
export interface TablePlan {
  readonly file: InputFile;
  readonly action: TableAction;
  /** Why: "same key bytes", "12 rows missing", "row groups differ" … */
  readonly reason: string;
  /** The key holds the targets' keys in their order: aligning needs no join. */
  readonly sameKeys: boolean;
  /** Rows of the input. */
  readonly rows: number;
  /** Input rows whose key is not in the targets, or that a duplicate policy leaves out. */
  readonly rowsDropped: number;
  /** Target rows for which the table has no row: null in all of its columns. */
  readonly rowsNullFilled: number;
  /** Input rows that share a key with another row (0 unless a duplicate policy allows them). */
  readonly duplicateRows: number;
  /** Input column → output column, in input order, without the key (the targets keep it). */
  readonly columns: readonly ColumnLineage[];
  /** Encoded bytes of those columns in the input. */
  readonly bytes: number;
  /** Bytes of the columns once decoded. */
  readonly decodedBytes: number;
}

export interface ColumnLineage {
  readonly input: string;
  readonly output: string;
}

/** Whether the output's bytes pass through the worker, or the service composes it of the inputs; and why. */
export interface Assembly {
  readonly how: "stream" | "compose";
  readonly why: string;
}

/** Everything that the merge of one pair will do; pure data, printable, made before anything is read in bulk. */
export interface Plan {
  readonly pair: string;
  readonly rows: number;
  /** Output columns, key included. */
  readonly columns: number;
  /** Rows of each row group of the output. */
  readonly rowGroups: readonly number[];
  /** Targets first, then the feature tables by name. */
  readonly tables: readonly TablePlan[];
  /** Digest of inputs (size, version) and of the settings that change the output. */
  readonly digest: string;
  readonly outputBytes: number;
  readonly readBytes: number;
  readonly predictedPeakBytes: number;
  readonly ceilingBytes: number;
  readonly predictedSeconds: number;
  readonly assembly: Assembly;
}
