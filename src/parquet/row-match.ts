import pl, { type Series } from "nodejs-polars";
import type { DuplicatePolicy } from "../model/settings.ts";
import { missing, type RowRuns, toRuns } from "./gather/rows.ts";

/** For every output row the source row with its key. */
export interface RowMatch {
  /** Whether the output row has a source row. */
  readonly matched: Series;
  /** Source rows of the matched output rows, in output order. */
  readonly rows: number[];
  /** The same with the output rows that have none. */
  readonly runs: RowRuns;
}

/** Looks up every key of the output in the source; of repeated keys the first or the last row counts. */
export function matchRows(source: Series, output: Series, duplicates: DuplicatePolicy): RowMatch {
  const rowOf = new Map<unknown, number>();
  for (const [row, key] of keyValues(source).entries())
    if (duplicates === "last" || !rowOf.has(key)) rowOf.set(key, row);
  const found = keyValues(output).map((key) => rowOf.get(key));
  const rows = found.filter((row) => row !== undefined);
  return {
    matched: pl.Series(
      "matched",
      found.map((row) => row !== undefined),
      pl.Bool,
    ),
    rows,
    runs: toRuns(Int32Array.from(found, (row) => row ?? missing)),
  };
}

/** Timestamps as whole numbers: a JavaScript Date has only milliseconds. */
function keyValues(key: Series): unknown[] {
  const type = String(key.dtype);
  const plain = /Datetime|Date|Int/.test(type) ? key.cast(pl.Int64).cast(pl.Utf8) : key;
  return plain.toArray();
}

/** The expected and the actual values of the matched rows, and how many of the other rows are not null. */
export function gatherRows(
  source: Series,
  output: Series,
  match: RowMatch,
): { expected: Series; found: Series; stray: number } {
  const frame = pl.DataFrame({ output: output.rename("output"), matched: match.matched });
  const found = frame.filter(pl.col("matched")).getColumn("output");
  const others = frame.filter(pl.col("matched").not()).getColumn("output");
  return { expected: source.gather(match.rows), found, stray: others.length - others.nullCount() };
}
