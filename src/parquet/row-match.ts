import pl, { type Series } from "nodejs-polars";
import type { DuplicatePolicy } from "../model/settings.ts";
import { missing, type RowRuns, toRuns } from "./gather/rows.ts";
import type { KeyVector } from "./key/key-vector.ts";

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
export function matchRows(source: KeyVector, output: KeyVector, duplicates: DuplicatePolicy): RowMatch {
  const rowOf = new Map<string, number>();
  for (let row = 0; row < source.rows; row += 1) {
    const key = keyText(source, row);
    if (key !== undefined && (duplicates === "last" || !rowOf.has(key))) rowOf.set(key, row);
  }
  const found = Array.from({ length: output.rows }, (_, row) => rowOf.get(keyText(output, row) ?? ""));
  return {
    matched: pl.Series(
      "matched",
      found.map((row) => row !== undefined),
      pl.Bool,
    ),
    rows: found.filter((row) => row !== undefined),
    runs: toRuns(Int32Array.from(found, (row) => row ?? missing)),
  };
}

/** Whether both have the same keys in the same order, each row with one. */
export function sameKeys(left: KeyVector, right: KeyVector): boolean {
  if (left.rows !== right.rows || left.skip !== undefined || right.skip !== undefined) return false;
  for (let row = 0; row < left.rows; row += 1) if (!sameKey(left, right, row)) return false;
  return true;
}

function sameKey({ values: left }: KeyVector, { values: right }: KeyVector, row: number): boolean {
  if (left.kind === "words" && right.kind === "words")
    return left.words[2 * row] === right.words[2 * row] && left.words[2 * row + 1] === right.words[2 * row + 1];
  if (left.kind !== "bytes" || right.kind !== "bytes") return false;
  const [one, other] = [left, right].map(({ bytes, starts, ends }) => bytes.subarray(starts[row], ends[row]));
  return one !== undefined && other !== undefined && Buffer.compare(one, other) === 0;
}

/** A text that is the same for equal keys only; undefined for a row without a key. */
function keyText({ skip, values }: KeyVector, row: number): string | undefined {
  if (skip?.[row] === 1) return undefined;
  if (values.kind === "words") return `${values.words[2 * row + 1]} ${values.words[2 * row]}`;
  return `=${Buffer.from(values.bytes.subarray(values.starts[row], values.ends[row])).toString("latin1")}`;
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
