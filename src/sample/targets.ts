import type { Market } from "./market.ts";
import { splitPair } from "./pairs.ts";

/** Days until the position is entered. */
const horizons = [1, 2, 3, 5, 10, 15, 21] as const;
/** Days for which the position is held. */
const holdings = [1, 5, 10, 21, 42, 63, 126] as const;

/** Columns of the targets table without the key. */
export const targetColumns = horizons.length * holdings.length;

/** 7 × 7 forward returns, such as fwd_ret_h5_w21: the log return of entering 5 days ahead and holding for 21 days. */
export function* computeTargets(market: Market, pair: string): Generator<{ name: string; values: Float64Array }> {
  const { base, quote } = splitPair(pair);
  const logRate = market.logRate(base, quote);
  for (const holding of holdings) {
    for (const horizon of horizons) {
      const future = (row: number): number =>
        (logRate[row + horizon + holding] ?? Number.NaN) - (logRate[row + horizon] ?? 0);
      yield { name: `fwd_ret_h${horizon}_w${holding}`, values: logRate.map((_, row) => future(row)) };
    }
  }
}
