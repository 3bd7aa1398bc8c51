/** Tables that do not have exactly the targets' rows: how many rows of the output they fill, and what they lose. */

/** Rows of one table, counted. */
export interface PartialTable {
  readonly table: string;
  /** Rows of the output that the table has a row for. */
  readonly rowsMatched: number;
  /** Rows of the output in which all columns of the table are null. */
  readonly rowsNullFilled: number;
  /** Rows of the table that are not in the output: keys that the targets lack, or repeated ones. */
  readonly rowsDropped: number;
}

/** The tables that lack rows of the output or lose rows of their own, the worst first; `rows`: those of the output. */
export function listPartial(
  rows: number,
  tables: readonly Pick<PartialTable, "table" | "rowsNullFilled" | "rowsDropped">[],
): readonly PartialTable[] {
  return tables
    .filter(({ rowsNullFilled, rowsDropped }) => rowsNullFilled > 0 || rowsDropped > 0)
    .map(({ table, rowsNullFilled, rowsDropped }) => ({
      table,
      rowsMatched: rows - rowsNullFilled,
      rowsNullFilled,
      rowsDropped,
    }))
    .sort(
      (left, right) =>
        right.rowsNullFilled - left.rowsNullFilled ||
        right.rowsDropped - left.rowsDropped ||
        (left.table < right.table ? -1 : 1),
    );
}
