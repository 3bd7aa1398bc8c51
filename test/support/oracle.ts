/**
 * What a merge has to give, found in the plainest way: every table read whole by Polars and left-joined onto the
 * targets, one after the other. Nothing of the project is used here.
 */
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import pl, { type DataFrame } from "nodejs-polars";
import { toCells, typeOf } from "./columns.ts";

export interface OracleOptions {
  readonly key: string;
  readonly pair: string;
  readonly duplicates: "error" | "first" | "last";
}

/** The joined frame of a checkpoint folder. */
export function joinAll(folder: string, options: OracleOptions): DataFrame {
  const { key, pair, duplicates } = options;
  const targets = pl.readParquet(join(folder, "targets.parquet"));
  const files = readdirSync(folder).filter((name) => name.endsWith(".parquet") && name !== "targets.parquet");
  return files.sort().reduce((wide, file) => {
    const table = pl.readParquet(join(folder, file));
    const name = basename(file, ".parquet").replace(new RegExp(`(?<=.)_${pair}$`), "");
    const typed = table.withColumn(table.getColumn(key).cast(targets.getColumn(key).dtype).rename(key));
    const unique =
      duplicates === "error" ? typed : typed.unique({ subset: [key], keep: duplicates, maintainOrder: true });
    const renamed = unique.rename(
      Object.fromEntries(
        table.columns.filter((column) => column !== key).map((column) => [column, `${name}_${column}`]),
      ),
    );
    return wide.join(renamed, { on: key, how: "left", maintainOrder: "left" });
  }, targets);
}

/** The targets' key first, then everything else in order. */
export function keyFirst(frame: DataFrame, key: string): DataFrame {
  return frame.select(key, ...frame.columns.filter((column) => column !== key));
}

/** Differences between two frames: names, order, rows, types as Parquet tells them, every value to the bit. */
export function compareFrames(expected: DataFrame, found: DataFrame): string[] {
  if (expected.columns.join() !== found.columns.join())
    return [`columns ${found.columns.join()} instead of ${expected.columns.join()}`];
  if (expected.height !== found.height) return [`${found.height} rows instead of ${expected.height}`];
  return expected.columns.flatMap((name) => compareColumns(name, expected, found));
}

function compareColumns(name: string, expected: DataFrame, found: DataFrame): string[] {
  const [left, right] = [expected.getColumn(name), found.getColumn(name)];
  const [wanted, type] = [typeOf(left), typeOf(right)];
  if (wanted !== type) return [`${name}: type ${type} instead of ${wanted}`];
  if (type === "Binary") return left.seriesEqual(right, true) ? [] : [`${name}: other bytes`];
  const cells = toCells(right);
  const wrong = toCells(left).flatMap((cell, row) =>
    cell === cells[row] ? [] : [`row ${row}: ${cells[row]} instead of ${cell}`],
  );
  return wrong.length === 0 ? [] : [`${name}: ${wrong.length} values differ, ${wrong[0]}`];
}
