/** Columns of every type that Polars can write, from texts, and the texts back: through no code of the project. */
import pl, { type DataFrame, type DataType, type Series } from "nodejs-polars";

type Cells = readonly (string | null)[];

function wholeNumbers(name: string, cells: Cells, type: DataType): Series {
  return pl.Series(name, [...cells], pl.Utf8).cast(type, true);
}

function floats(name: string, cells: Cells, type: DataType): Series {
  return pl.Series(
    name,
    cells.map((cell) => (cell === null ? null : Number(cell))),
    type,
  );
}

type Zone = "" | "UTC" | "Europe/Berlin";
type TimeUnit = "ms" | "us" | "ns";

function instants(unit: TimeUnit, zone: Zone): (name: string, cells: Cells) => Series {
  const type = zone === "" ? pl.Datetime(unit) : pl.Datetime(unit, zone);
  return (name, cells) => wholeNumbers(name, cells, pl.Int64).cast(type);
}

const builders = {
  Int8: (name, cells) => wholeNumbers(name, cells, pl.Int8),
  Int16: (name, cells) => wholeNumbers(name, cells, pl.Int16),
  Int32: (name, cells) => wholeNumbers(name, cells, pl.Int32),
  Int64: (name, cells) => wholeNumbers(name, cells, pl.Int64),
  UInt8: (name, cells) => wholeNumbers(name, cells, pl.UInt8),
  UInt16: (name, cells) => wholeNumbers(name, cells, pl.UInt16),
  UInt32: (name, cells) => wholeNumbers(name, cells, pl.UInt32),
  UInt64: (name, cells) => wholeNumbers(name, cells, pl.UInt64),
  Float32: (name, cells) => floats(name, cells, pl.Float32),
  Float64: (name, cells) => floats(name, cells, pl.Float64),
  Bool: (name, cells) =>
    pl.Series(
      name,
      cells.map((cell) => (cell === null ? null : cell === "true")),
      pl.Bool,
    ),
  String: (name, cells) => pl.Series(name, [...cells], pl.Utf8),
  Categorical: (name, cells) => pl.Series(name, [...cells], pl.Utf8).cast(pl.Categorical),
  Date: (name, cells) => wholeNumbers(name, cells, pl.Int32).cast(pl.Date),
  Time: (name, cells) => wholeNumbers(name, cells, pl.Int64).cast(pl.Time),
  Duration: (name, cells) => wholeNumbers(name, cells, pl.Int64).cast(pl.Duration("us")),
  Decimal9: (name, cells) => pl.Series(name, [...cells], pl.Utf8).cast(pl.Decimal(9, 2)),
  Decimal38: (name, cells) => pl.Series(name, [...cells], pl.Utf8).cast(pl.Decimal(38, 10)),
  "Datetime ms": instants("ms", ""),
  "Datetime us": instants("us", ""),
  "Datetime ns": instants("ns", ""),
  "Datetime ms UTC": instants("ms", "UTC"),
  "Datetime us UTC": instants("us", "UTC"),
  "Datetime ns UTC": instants("ns", "UTC"),
  "Datetime us Berlin": instants("us", "Europe/Berlin"),
} satisfies Record<string, (name: string, cells: Cells) => Series>;

export type ColumnType = keyof typeof builders;
export const columnTypes = Object.keys(builders) as readonly ColumnType[];

/** A column from texts: numbers as written, instants and times as counts of their unit, NaN and -0 for floats. */
export function makeColumn(name: string, type: ColumnType, cells: Cells): Series {
  return builders[type](name, cells).rename(name);
}

/** A table from `{ name: [type, texts] }`. */
export function makeTable(columns: Readonly<Record<string, readonly [ColumnType, Cells]>>): DataFrame {
  return toFrame(Object.entries(columns).map(([name, [type, cells]]) => makeColumn(name, type, cells)));
}

export function toFrame(columns: readonly Series[]): DataFrame {
  return pl.DataFrame(Object.fromEntries(columns.map((column) => [column.name, column])));
}

/**
 * The type as Parquet alone can tell it: categories are strings, a zone is UTC or none, durations are numbers. Polars for
 * Node has no name for binary.
 */
export function typeOf(series: Series): string {
  try {
    const name = String(series.dtype).replace(/^DataType\((.*)\)$/, "$1");
    return name
      .replace(/^Categorical.*/, "String")
      .replace(/^Duration.*/, "Int64")
      .replace(/^(Datetime\(..,).+\)$/, "$1UTC)");
  } catch {
    return "Binary";
  }
}

/** Every cell as a text that tells all values apart that differ in a bit (any NaN is one NaN), null as null. */
export function toCells(series: Series): (string | null)[] {
  const type = typeOf(series);
  if (/^Float/.test(type)) return series.toArray().map(floatText);
  if (/^(Datetime|Date|Time|Int64)/.test(type)) return series.cast(pl.Int64).cast(pl.Utf8).toArray();
  return series.cast(pl.Utf8).toArray();
}

function floatText(value: unknown): string | null {
  return value === null ? null : Object.is(value, -0) ? "-0" : String(value);
}
