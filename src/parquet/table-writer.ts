import { getSystemErrorName } from "node:util";
import pl from "nodejs-polars";

/** A column to encode: instants in microseconds since 1970 (UTC), or numbers in which NaN stands for null. */
export interface TableColumn {
  readonly name: string;
  readonly values: BigInt64Array | Float64Array;
}

/** More rows than any table has: Polars otherwise starts a new row group every 262,144 rows. */
const oneRowGroup = 2 ** 31 - 1;

/**
 * Writes columns of equal length as one Snappy-compressed row group; instants become timestamp[us, UTC]. The same columns
 * give the same bytes on any number of threads. Needs about twice the columns' size in native memory, which is freed only
 * after the event loop has turned. @throws an error with the code of the system call where the file cannot be written
 */
export function writeTable(path: string, columns: readonly TableColumn[]): void {
  const table = pl.DataFrame(columns.map(toSeries)).lazy().fillNan(pl.lit(null));
  try {
    table.sinkParquet(path, { compression: "snappy", statistics: true, rowGroupSize: oneRowGroup }).collectSync();
  } catch (error) {
    throw withSystemCode(error, path);
  }
}

function toSeries({ name, values }: TableColumn): pl.Series {
  if (values instanceof Float64Array) return pl.Series(name, values);
  // Polars reads the array in place, but its type declarations have no bigint.
  const instants: unknown = values;
  return pl.Series(name, instants as never[]).cast(pl.Datetime("us", "UTC"));
}

/** Polars reports "… (os error 28)" as plain text; callers recognize a full disk by the code. */
function withSystemCode(error: unknown, path: string): unknown {
  const number = /\(os error (\d+)\)/.exec(String(error))?.[1];
  if (number === undefined) return error;
  const code = getSystemErrorName(-Number(number));
  return Object.assign(new Error(`${code}: ${path}`, { cause: error }), { code });
}
