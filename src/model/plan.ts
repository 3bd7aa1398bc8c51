import type { PartialTable } from "./partial-table.ts";

/** A Parquet file of a checkpoint, as listed by the store. */
export interface InputFile {
  /** Table name: the file name without ".parquet". */
  readonly table: string;
  /** Path in the store. */
  readonly path: string;
  /** Size in bytes. */
  readonly size: number;
  /** Identifies the content: a modification time in nanoseconds and an inode, or an object generation. */
  readonly version: string;
  /** CRC32C of the content as 8 hexadecimal digits, where the store knows it without reading. */
  readonly crc32c?: string;
}

/** An input as the store has just listed it. */
export interface ListedInput extends InputFile {
  /** When content or attributes last changed, in nanoseconds, where no program can set that time. A later run has no use for it. */
  readonly changeTime?: string;
}

/** An input as documents describe it. */
export function describeInput({ changeTime: _, ...file }: ListedInput): InputFile {
  return file;
}

export type TableAction = "splice" | "align";

/** How the merge will process one table, and why. */
export interface TablePlan {
  readonly file: InputFile;
  readonly action: TableAction;
  /** The reason: "same key bytes", "12 rows missing", "row groups differ" … */
  readonly reason: string;
  /** The key column equals the targets' key column: aligning needs no join. */
  readonly sameKeys: boolean;
  /** Rows of the input. */
  readonly rows: number;
  /** Input rows whose key is not in the targets, or that the duplicate policy drops. */
  readonly rowsDropped: number;
  /** Target rows that the table lacks: all of its columns are null there. */
  readonly rowsNullFilled: number;
  /** Input rows that share a key with another row; 0 unless the duplicate policy allows them. */
  readonly duplicateRows: number;
  /** Input rows without a key; 0 unless the policy for null keys allows them. */
  readonly nullKeyRows: number;
  /** Input column → output column, in input order. The key is only in the list of the targets. */
  readonly columns: readonly ColumnLineage[];
  /** Columns in which pandas saved an index, which are not in the output. */
  readonly leftOut: readonly string[];
  /** Columns whose types only the input's Arrow schema knows: the output has their Parquet types. */
  readonly changedTypes: readonly ChangedType[];
  /** Why the input's Arrow schema was ignored; absent where it was read or there is none. */
  readonly arrowSchemaIgnored?: string;
  /** Encoded bytes of these columns in the input. */
  readonly bytes: number;
  /** Bytes of these columns once decoded. */
  readonly decodedBytes: number;
}

/** A column that readers see with another type than in its input. */
export interface ChangedType {
  /** Name of the output column. */
  readonly column: string;
  /** The type that Arrow readers see in the input: "duration[us]", "dictionary", "timestamp[us, Europe/London]". */
  readonly from: string;
  /** The Parquet type, which all readers see in the output: "INT64", "BYTE_ARRAY (STRING)". */
  readonly to: string;
}

export interface ColumnLineage {
  readonly input: string;
  readonly output: string;
}

/** Whether the bytes of the output pass through the worker ("stream") or the service joins objects ("compose"), and why. */
export interface Assembly {
  readonly how: "stream" | "compose";
  readonly why: string;
}

/** Everything that the merge of one pair will do: plain data, made before any table is read. */
export interface Plan {
  readonly pair: string;
  readonly rows: number;
  /** Output columns, including the key. */
  readonly columns: number;
  /** Rows of each row group of the output. */
  readonly rowGroups: readonly number[];
  /** Targets first, then the feature tables by name. */
  readonly tables: readonly TablePlan[];
  /** Tables of the checkpoint that `tables` and `excludeTables` leave out. */
  readonly excluded: readonly string[];
  /** Tables that do not have exactly the targets' rows, the worst first. */
  readonly partialTables: readonly PartialTable[];
  /** Names in the checkpoint's folder that are no tables. */
  readonly ignored: readonly string[];
  /** Digest of the inputs (size, version) and of the settings that change the output. */
  readonly digest: string;
  readonly outputBytes: number;
  readonly readBytes: number;
  readonly predictedPeakBytes: number;
  readonly ceilingBytes: number;
  readonly predictedSeconds: number;
  readonly assembly: Assembly;
}
