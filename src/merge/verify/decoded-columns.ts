/** A source column and its output column as Polars decodes them, by their stored values. */
import { buildColumnFile } from "../../parquet/column-file.ts";
import { chunksOf } from "../../parquet/footer.ts";
import type { ColumnSource } from "../../parquet/gather/compare.ts";
import { toPhysical } from "../../parquet/physical-columns.ts";
import { countDifferences, decode, type Series } from "../../parquet/polars.ts";
import { gatherRows, type RowMatch } from "../../parquet/row-match.ts";
import type { LoadedPair } from "./encoded-columns.ts";

/** A column as Polars decodes it on both sides, or why it cannot decode the output though it decodes the source. */
export type DecodedPair = { readonly source: Series; readonly output: Series } | string;

/** What Polars decodes, all columns together; each alone where that fails, and none whose source it cannot decode. */
export function decodePairs(pairs: readonly LoadedPair[]): Map<LoadedPair, DecodedPair> {
  const left = decodeColumns(pairs.map(({ source }) => source));
  const right = typeof left === "string" ? left : decodeColumns(pairs.map(({ output }) => output));
  if (typeof left !== "string" && typeof right !== "string")
    return new Map(pairs.map((pair, index) => [pair, { source: at(left, index), output: at(right, index) }]));
  if (pairs.length > 1) return new Map(pairs.flatMap((pair) => [...decodePairs([pair])]));
  return new Map(typeof left !== "string" && typeof right === "string" ? pairs.map((pair) => [pair, right]) : []);
}

function at(columns: readonly Series[], index: number): Series {
  const column = columns[index];
  if (column === undefined) throw new Error(`no column ${index} in the frame`);
  return column;
}

/** Columns of one file by their stored values, in order; or why Polars cannot decode them. */
function decodeColumns(sources: readonly ColumnSource[]): Series[] | string {
  const [first] = sources;
  if (first === undefined) return [];
  const physical = toPhysical(
    first.footer,
    sources.map(({ column }) => column),
  );
  const ranges = sources.flatMap(({ footer, column, bytesOf }) =>
    chunksOf(footer, [column]).map((chunk) => ({ start: chunk.start, bytes: bytesOf(chunk) })),
  );
  try {
    const frame = decode(buildColumnFile(physical.footer, physical.columns, ranges));
    return physical.columns.map(({ name }) => frame.getColumn(name));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Values that differ; `moved`: the source's row of each output row, where they are not in their places. */
export function countDecoded({ source, output }: Exclude<DecodedPair, string>, moved: RowMatch | undefined): number {
  if (moved === undefined) return countDifferences(source, output);
  const { expected, found, stray } = gatherRows(source, output, moved);
  return stray + countDifferences(expected, found);
}
