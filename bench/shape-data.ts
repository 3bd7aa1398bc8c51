/** Checkpoints of shapes that `widemerge sample` does not make, written by DuckDB; every feature table is misaligned. */
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import type { Compression } from "./contenders.ts";
import { type Dataset, describeDataset, pair } from "./data.ts";

/** What the values of feature columns are, and so how they are encoded. */
export type Values = "doubles" | "texts" | "integers";

export interface TableShape {
  /** Rows of the targets; a feature table lacks every hundredth of them. */
  readonly rows: number;
  readonly tables: number;
  /** Feature columns of a table, without the key. */
  readonly columns: number;
  /** A multiple of 2,048; all rows in one row group unless given. */
  readonly groupRows?: number;
  /** Doubles unless given. */
  readonly values?: Values;
  /** Snappy unless given. */
  readonly compression?: Compression;
}

/** A short description: "10 tables × 20 columns × 10,000 rows, row groups of 2,048 rows". */
export function describeTables({ rows, tables, columns, groupRows, values, compression }: TableShape): string {
  const counts = [`${count(tables)} tables`, `${count(columns)} columns`, `${count(rows)} rows`].join(" × ");
  return [
    counts,
    ...(groupRows === undefined ? [] : [`row groups of ${count(groupRows)} rows`]),
    ...(values === undefined ? [] : [values]),
    ...(compression === undefined ? [] : [compression]),
  ].join(", ");
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}

/** Makes a checkpoint in that shape, unless it exists. Its feature tables are copies of one. */
export async function makeShapeData(work: string, name: string, shape: TableShape): Promise<Dataset> {
  const input = join(work, `shape-${name}`);
  const folder = join(input, pair);
  if (!existsSync(join(folder, "_COMPLETE"))) {
    rmSync(input, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    await writeTable(join(folder, "targets.parquet"), { ...shape, columns: 3 }, "row", shape.rows);
    const [first = "", ...others] = Array.from({ length: shape.tables }, (_, index) =>
      join(folder, `copy_${String(index).padStart(5, "0")}_${pair}.parquet`),
    );
    // Of every hundred rows the last is missing; whole vectors of 2,048 rows make row groups of exactly the size asked for.
    await writeTable(first, shape, "row + row // 99", Math.floor((shape.rows * 99) / 100));
    for (const path of others) copyFileSync(first, path);
    writeFileSync(join(folder, "_COMPLETE"), "");
  }
  return { ...describeDataset(input, name), compression: shape.compression ?? "snappy" };
}

/** `minute`: the minute of row `row` as an expression of SQL. */
async function writeTable(path: string, shape: TableShape, minute: string, rows: number): Promise<void> {
  const columns = Array.from({ length: shape.columns }, (_, index) => `${columnOf(shape, index)} AS c${index}`);
  const options = [
    "FORMAT parquet",
    `COMPRESSION ${shape.compression ?? "snappy"}`,
    `ROW_GROUP_SIZE ${shape.groupRows ?? Math.max(2048, rows)}`,
    // The second version of the format has delta-encoded integers.
    `PARQUET_VERSION ${shape.values === "integers" ? "V2" : "V1"}`,
  ];
  const instance = await DuckDBInstance.create(":memory:");
  try {
    const connection = await instance.connect();
    // Several threads would cut row groups differently each time.
    await connection.run("SET threads = 1");
    await connection.run(`COPY (
      SELECT to_timestamp(1500000000 + 60 * (${minute})) AS interval_time, ${columns.join(", ")}
      FROM range(${rows}) source(row)) TO '${path}' (${options.join(", ")})`);
  } finally {
    instance.closeSync();
  }
}

/** One value in eight is null. */
function columnOf({ values = "doubles" }: TableShape, index: number): string {
  const draw = `hash(row, ${index})`;
  const made: Readonly<Record<Values, string>> = {
    doubles: `${draw} / 18446744073709551616.0`,
    texts: `'state ' || (${draw} % 200)`,
    integers: `row * 1000 + (${draw} % 1000)::BIGINT`,
  };
  return `CASE WHEN ${draw} % 8 = 0 THEN NULL ELSE ${made[values]} END`;
}
