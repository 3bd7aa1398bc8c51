/**
 * One table of a pair on its way through the merge. Every stage returns the record of the stage before with what it found
 * out or decided: listed → inspected → proven → planned → transferred.
 */
import type { ColumnLineage, ListedInput, TablePlan } from "../model/plan.ts";

import type { KeyCast } from "../model/settings.ts";
import type { Column, ColumnChunk, Footer, NamedColumn } from "../parquet/footer.ts";
import type { RowRuns } from "../parquet/gather/rows.ts";

/** A table as the inventory lists it. */
export interface ListedTable {
  readonly file: ListedInput;
  /** The targets decide the rows of the output and their order; their key is the output's key. */
  readonly isTargets: boolean;
}

/** A table that can be read. */
export interface InspectedTable extends ListedTable {
  readonly footer: Footer;
  /** Offset of the footer in bytes; the data lies before it. */
  readonly dataEnd: number;
  /** The column that has the key's name, after renaming. */
  readonly key: Column;
  readonly keyCast: KeyCast;
}

/** What two key columns have to do with each other; rows counted. */
export interface KeyComparison {
  /** Same values in the same order. */
  readonly equal: boolean;
  /** Whether the table's rows come in the order of the targets' rows. */
  readonly ordered: boolean;
  readonly nulls: number;
  /** Rows beyond the first of each key. */
  readonly repeated: number;
  /** Rows of the targets that the table has a row for. */
  readonly matched: number;
}

/** How a table's key relates to the targets'. */
export interface KeyProof {
  readonly how: "same bytes" | "same values" | "different";
  readonly comparison: KeyComparison;
  /** Bytes of the key's values in memory, as they are compared. */
  readonly keyBytes: number;
  /** The table's row for each row of the targets, where it is kept until then; tables with the same keys share it. */
  readonly runs?: RowRuns;
}

/** A table whose key was compared with the targets' key (the targets' own: equal). */
export interface ProvenTable extends InspectedTable {
  readonly proof: KeyProof;
  /**
   * Bytes of the byte arrays of chunks whose encoding shortens what they share with the values before them (DELTA_BYTE_ARRAY):
   * the footer says only what the rest of them takes.
   */
  readonly expanded: ReadonlyMap<ColumnChunk, number>;
}

/**
 * How a table gets into the output: "splice" copies its encoded column chunks, "link" lets the store take the whole
 * object (Cloud Storage, compose), "align" joins its rows onto the targets' key.
 */
export type Transfer = "splice" | "link" | "align";

/** A table with everything that the plan decided about it. */
export interface PlannedTable extends ProvenTable {
  readonly plan: TablePlan;
  readonly transfer: Transfer;
  /** The columns that it gives to the output with their names there, in the output's order; the targets' key comes first. */
  readonly columns: readonly NamedColumn[];
}

/** A table whose columns are in the output. */
export interface TransferredTable extends PlannedTable {
  /** CRC32C of the whole input, 8 hexadecimal digits. */
  readonly crc32c: string;
}

/** Columns as plans and manifests print them: without the key. */
export function printColumns(table: InspectedTable, columns: readonly NamedColumn[]): ColumnLineage[] {
  return columns
    .filter(({ column }) => column !== table.key)
    .map(({ column, name }) => ({ input: column.name, output: name }));
}
