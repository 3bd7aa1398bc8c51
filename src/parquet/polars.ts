/**
 * Decoded keys and columns: everything that needs Polars. Its data lives outside the JavaScript heap and is freed by
 * finalizers that run on the event loop. Callers await `runFinalizers` between tables, or memory grows with their number.
 */
import { setImmediate } from "node:timers/promises";
import pl, { type DataFrame, type Series } from "nodejs-polars";
import type { DuplicatePolicy } from "../model/settings.ts";

/** Lets the event loop run finalizers, which free native memory that is no longer referenced. */
export async function runFinalizers(): Promise<void> {
  await setImmediate();
}

/** Decodes a small file made by `buildColumnFile`. @throws when a page is damaged or of a type that Polars cannot hold. */
export function decode(file: Buffer): DataFrame {
  return pl.readParquet(file);
}

/** The type of a key column as Polars names it: "Datetime(us,UTC)", "Int64", "Date", "String". */
export function typeName(series: Series): string {
  return String(series.dtype).replace(/^DataType\((.*)\)$/, "$1");
}

const keyType = /^(Datetime\(.*\)|U?Int(8|16|32|64)|Date|String)$/;
/** Whether a column of this type can be a key: two values are equal exactly when a person would say so. */
export function canBeKey(type: string): boolean {
  return keyType.test(type);
}

/**
 * A key column in the targets' type. Only the unit of a timestamp or the width of an integer may differ, and only when
 * no value changes; otherwise the reason as text.
 */
export function convertKey(key: Series, targets: Series): Series | string {
  const from = typeName(key);
  const to = typeName(targets);
  if (from === to) return key;
  if (family(from) !== family(to)) return `type ${from} where the targets have ${to}`;
  try {
    const converted = key.cast(targets.dtype, true);
    if (converted.cast(key.dtype, true).seriesEqual(key)) return converted;
  } catch {
    // A value outside the narrower type's range.
  }
  return `type ${from} with values that ${to} of the targets cannot hold`;
}

/** Types of one family differ in unit or width only; a time zone is part of the family. */
function family(type: string): string {
  const zone = /^Datetime\((?:ns|us|ms),?(.*)\)$/.exec(type);
  if (zone !== null) return `Datetime ${zone[1]}`;
  return /^U?Int/.test(type) ? "integer" : type;
}

/** How a table's key column relates to the targets'; counts of rows. */
export interface KeyComparison {
  /** Same values in the same order. */
  readonly equal: boolean;
  readonly nulls: number;
  /** Rows beyond the first of each key. */
  readonly repeated: number;
  readonly firstRepeated: string | undefined;
  /** Distinct keys that are also in the targets. */
  readonly matched: number;
}

/** Compares a table's key with the targets' key (which has no duplicates), both of one type. */
export function compareKeys(key: Series, targets: Series): KeyComparison {
  const counted = countRepeated(key);
  if (key.length === targets.length && key.seriesEqual(targets))
    return { ...counted, equal: true, matched: targets.length };
  const left = pl.DataFrame({ key: targets.rename("key") });
  const right = pl.DataFrame({ key: key.rename("key") });
  const matched = left.join(right, { on: "key", how: "semi" }).height;
  return { ...counted, equal: false, matched };
}

/** Nulls of a key column, and repeated values among the others. */
export function countRepeated(key: Series): Pick<KeyComparison, "nulls" | "repeated" | "firstRepeated"> {
  const nulls = key.nullCount();
  const values = nulls > 0 ? key.dropNulls() : key;
  const repeated = values.length - values.nUnique();
  const first = repeated > 0 ? values.filter(values.isDuplicated()).cast(pl.Utf8).get(0) : undefined;
  return { nulls, repeated, firstRepeated: first === undefined ? undefined : String(first) };
}

/** For each target key its row in the table, -1 where the table has none. */
export function indexRows(key: Series, targets: Series, duplicates: DuplicatePolicy): Int32Array {
  const converted = convertKey(key, targets);
  if (typeof converted === "string") throw new Error(converted);
  const rows = pl.Series(
    "row",
    Int32Array.from({ length: key.length }, (_, row) => row),
  );
  const table = pl.DataFrame({ key: converted.rename("key"), row: rows });
  const unique =
    duplicates === "error" ? table : table.unique({ subset: ["key"], keep: duplicates, maintainOrder: true });
  const left = pl.DataFrame({ key: targets.rename("key") });
  const joined = left.join(unique, { on: "key", how: "left", validate: "m:1", maintainOrder: "left" });
  return Int32Array.from(joined.getColumn("row").toArray() as (number | null)[], (row) => row ?? -1);
}

/** Rows at which two columns differ; nulls and NaNs are equal to themselves. Works on types that JavaScript cannot show. */
export function countDifferences(left: Series, right: Series): number {
  if (left.length !== right.length) return Math.max(left.length, right.length);
  const frame = pl.DataFrame({ left: left.rename("left"), right: right.rename("right") });
  const [one, other] = [pl.col("left"), pl.col("right")];
  const values = frame.filter(one.isNotNull().and(other.isNotNull()).and(one.neq(other))).height;
  return values + frame.filter(one.isNull().neq(other.isNull())).height;
}

export type { DataFrame, Series };
