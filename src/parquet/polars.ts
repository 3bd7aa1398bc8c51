/**
 * Decoded keys and columns: everything that needs Polars. Its data lives outside the JavaScript heap and is freed by
 * finalizers that run on the event loop. Callers await `runFinalizers` between tables, or memory grows with their number.
 */
import { setImmediate } from "node:timers/promises";
import pl, { type DataFrame, type Series } from "nodejs-polars";

/** Lets the event loop run finalizers, which free native memory that is no longer referenced. */
export async function runFinalizers(): Promise<void> {
  await setImmediate();
}

/** Decodes a small file made by `buildColumnFile`. @throws when a page is damaged or of a type that Polars cannot hold. */
export function decode(file: Buffer): DataFrame {
  return pl.readParquet(file);
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
