import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DataFrame } from "nodejs-polars";
import { type ColumnType, makeTable } from "./columns.ts";

type Columns = Readonly<Record<string, readonly [ColumnType, readonly (string | null)[]]>>;

/** A table with the key `interval_time` (Int64 unless said otherwise) and some columns. */
export function keyed(keys: readonly (string | null)[], columns: Columns = {}, type: ColumnType = "Int64"): DataFrame {
  return makeTable({ interval_time: [type, keys], ...columns });
}

/** "1" to `count`. */
export function upTo(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index + 1));
}

export interface Written {
  readonly input: string;
  readonly output: string;
}

/** A checkpoint of `pair` with these tables, in a new folder below `root`, and a folder for its output. */
export function writeTables(
  root: string,
  tables: Readonly<Record<string, DataFrame>>,
  options: { readonly rowGroupSize?: number; readonly compression?: "snappy" | "zstd"; readonly pair?: string } = {},
): Written {
  const place = mkdtempSync(join(root, "case-"));
  const folder = join(place, "in", options.pair ?? "pair");
  mkdirSync(folder, { recursive: true });
  const { rowGroupSize = 1_000_000, compression = "snappy" } = options;
  for (const [name, table] of Object.entries(tables)) {
    const path = join(folder, `${name}.parquet`);
    table.lazy().sinkParquet(path, { rowGroupSize, compression, statistics: true }).collectSync();
  }
  writeFileSync(join(folder, "_COMPLETE"), "");
  return { input: join(place, "in"), output: join(place, "out") };
}
