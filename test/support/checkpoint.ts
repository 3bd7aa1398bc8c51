/** Generated checkpoints: what fast-check draws, and how it becomes files. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import type { DataFrame } from "nodejs-polars";
import { type ColumnType, columnTypes, makeColumn, toFrame } from "./columns.ts";

export const keyName = "interval_time";

/** A column: its type, and which value of the type's pool each row takes (cyclic). */
interface DrawnColumn {
  readonly type: ColumnType;
  readonly picks: readonly number[];
}

export interface DrawnTable {
  readonly keyType: ColumnType;
  /** Key numbers; "same": the targets' keys in their order; "reversed": in the opposite order. */
  readonly keys: readonly number[] | "same" | "reversed";
  readonly columns: readonly DrawnColumn[];
  readonly codec: "snappy" | "zstd" | "gzip" | "lz4" | "brotli" | "uncompressed";
  readonly rowGroupSize: number;
}

export interface DrawnCheckpoint {
  readonly targets: DrawnTable & { readonly keys: readonly number[] };
  readonly features: readonly DrawnTable[];
  readonly duplicates: "error" | "first" | "last";
  readonly rowGroupRows: "auto" | number;
  readonly verify: "structure" | "sample" | "full";
}

/** Types that can stand for each other's keys without loss, for keys of 0 to 99. */
const keyFamilies: readonly (readonly ColumnType[])[] = [
  ["Datetime us UTC"],
  ["Datetime ms", "Datetime us", "Datetime ns"],
  ["Datetime ms UTC", "Datetime us UTC", "Datetime ns UTC"],
  ["Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"],
  ["Date"],
  ["String"],
];

const instantScale: Readonly<Record<string, bigint>> = { ms: 1n, us: 1000n, ns: 1_000_000n };

/** Key number → text of the key, the same moment in every unit. */
export function keyText(type: ColumnType, key: number): string {
  const [, unit = ""] = type.split(" ");
  const scale = instantScale[unit];
  // Around 1970, so that instants before it are negative.
  if (scale !== undefined) return String(BigInt(key - 50) * 86_399_999n * scale);
  if (type === "Date") return String(key - 50);
  return type === "String" ? (key === 0 ? "" : `k${"é".repeat(key % 4)}${key}`) : String(key);
}

const extremes: Partial<Record<ColumnType, readonly string[]>> = {
  Int8: ["-128", "127"],
  Int16: ["-32768", "32767"],
  Int32: ["-2147483648", "2147483647"],
  Int64: ["-9223372036854775808", "9223372036854775807", "9007199254740993"],
  UInt8: ["255"],
  UInt16: ["65535"],
  UInt32: ["4294967295"],
  UInt64: ["18446744073709551615", "9223372036854775808"],
  Float32: ["NaN", "Infinity", "-Infinity", "-0", "0", "1.5", "-3.4028234663852886e38", "1.401298464324817e-45"],
  Float64: ["NaN", "Infinity", "-Infinity", "-0", "0", "0.1", "1.7976931348623157e308", "5e-324"],
  Bool: ["true", "false"],
  String: ["", "a", "ß→漢字", "😀", "nul\u0000inside", "x".repeat(300)],
  Categorical: ["", "a", "b", "漢", "😀"],
  Time: ["0", "86399999999000"],
  Decimal9: ["-9999999.99", "0.01", "12.50"],
  Decimal38: ["-1234567890123456789012345678.0123456789", "0.0000000001"],
};
const isNumber = /^(U?Int|Date|Duration)/;

/** Null first, then the values of a type that go wrong most easily. */
export function poolOf(type: ColumnType): readonly (string | null)[] {
  const small = isNumber.test(type) ? ["0", "1", "7"] : [];
  return [null, ...small, ...(extremes[type] ?? [])];
}

function cellsOf(column: DrawnColumn, rows: number): (string | null)[] {
  const pool = poolOf(column.type);
  return Array.from({ length: rows }, (_, row) => {
    const pick = column.picks[row % column.picks.length] ?? 0;
    return pool[pick % pool.length] ?? null;
  });
}

function keysOf({ keys }: DrawnTable, targetKeys: readonly number[]): readonly number[] {
  if (keys === "same") return targetKeys;
  return keys === "reversed" ? targetKeys.toReversed() : keys;
}

/** The table as a frame: key, a column that tells every row apart, and the drawn columns. */
export function toTable(table: DrawnTable, targetKeys: readonly number[]): DataFrame {
  const keys = keysOf(table, targetKeys);
  const texts = keys.map((key) => keyText(table.keyType, key));
  const rowNumbers = keys.map((_, row) => String(row));
  const columns = table.columns.map((column, index) =>
    makeColumn(`c${index}`, column.type, cellsOf(column, keys.length)),
  );
  return toFrame([makeColumn(keyName, table.keyType, texts), makeColumn("row", "Int64", rowNumbers), ...columns]);
}

/** Writes a drawn checkpoint as `<input>/pair/*.parquet`, in place of the one before. */
export function writeCheckpoint(input: string, drawn: DrawnCheckpoint): void {
  const folder = join(input, "pair");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeTable(join(folder, "targets.parquet"), drawn.targets, drawn.targets.keys);
  for (const [index, table] of drawn.features.entries())
    writeTable(join(folder, `${featureName(index)}.parquet`), table, drawn.targets.keys);
  writeFileSync(join(folder, "_COMPLETE"), "");
}

/** Half of the tables carry the pair in their names, as feature extraction leaves them. */
export function featureName(index: number): string {
  return index % 2 === 0 ? `t${index}_pair` : `t${index}`;
}

function writeTable(path: string, table: DrawnTable, targetKeys: readonly number[]): void {
  const options = { compression: table.codec, rowGroupSize: table.rowGroupSize, statistics: true } as const;
  toTable(table, targetKeys).lazy().sinkParquet(path, options).collectSync();
}

const key = fc.nat(40);
/** Without "max", fast-check draws ten at most. */
const upTo = (maxLength: number) => ({ maxLength, size: "max" as const });
const drawnColumn = fc.record({
  type: fc.constantFrom(...columnTypes),
  picks: fc.array(fc.nat(12), { minLength: 1, ...upTo(13) }),
});
const shape = {
  columns: fc.array(drawnColumn, upTo(4)),
  codec: fc.constantFrom("snappy" as const, "zstd", "gzip", "lz4", "brotli", "uncompressed"),
  rowGroupSize: fc.constantFrom(100_000, 100_000, 7, 16),
};

/** Checkpoints of up to 41 rows and six tables. */
export const anyCheckpoint: fc.Arbitrary<DrawnCheckpoint> = fc.constantFrom(...keyFamilies).chain((family) => {
  const keyType = fc.constantFrom(...family);
  const keys = fc.oneof(
    { weight: 3, arbitrary: fc.constant("same" as const) },
    { weight: 1, arbitrary: fc.constant("reversed" as const) },
    { weight: 2, arbitrary: fc.uniqueArray(key, upTo(40)) },
    { weight: 1, arbitrary: fc.array(key, upTo(40)) },
  );
  return fc.record({
    targets: fc.record({ ...shape, keyType, keys: fc.uniqueArray(key, upTo(40)) }),
    features: fc.array(fc.record({ ...shape, keyType, keys }), upTo(5)),
    duplicates: fc.constantFrom("error" as const, "first", "last"),
    rowGroupRows: fc.oneof(fc.constant("auto" as const), fc.integer({ min: 1, max: 40 })),
    verify: fc.constantFrom("structure" as const, "sample", "full"),
  });
});
