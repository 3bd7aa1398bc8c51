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

/** Memory that may wait for the collector, in bytes. */
const waitingBytes = 48 * 2 ** 20;

/**
 * Counts memory that is no longer referenced, most of it native. The collector does not see its size, so it would let it grow while
 * JavaScript itself needs little: frames of texts that repeat grew by 65 MiB with each batch.
 */
export class NativeGarbage {
  #bytes = 0;
  /** Gone once the collector has run. */
  #sentinel = new WeakRef({});

  /** `bytes` are no longer needed: starts the collector where it did not run by itself for long, and frees what it found. */
  async release(bytes: number): Promise<void> {
    this.#bytes = this.#sentinel.deref() === undefined ? bytes : this.#bytes + bytes;
    if (this.#bytes > waitingBytes) {
      globalThis.gc?.();
      this.#bytes = 0;
    }
    if (this.#sentinel.deref() === undefined) this.#sentinel = new WeakRef({});
    await setImmediate();
  }
}

/** Decodes a small file made by `buildColumnFile`. @throws when a page is damaged or of a type that Polars cannot hold. */
export function decode(file: Buffer): DataFrame {
  return pl.readParquet(file);
}

/** Rows at which two columns differ; nulls and NaNs are equal to themselves. Works on types that JavaScript cannot show. */
export function countDifferences(left: Series, right: Series): number {
  if (left.length !== right.length) return Math.max(left.length, right.length);
  // Most columns are equal, and an eighth of the time shows it.
  if (left.seriesEqual(right, true)) return 0;
  const frame = pl.DataFrame({ left: left.rename("left"), right: right.rename("right") });
  const [one, other] = [pl.col("left"), pl.col("right")];
  const values = frame.filter(one.isNotNull().and(other.isNotNull()).and(one.neq(other))).height;
  return values + frame.filter(one.isNull().neq(other.isNull())).height;
}

export type { DataFrame, Series };
