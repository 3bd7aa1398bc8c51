/** The currencies of the reference rates; every rate is in units of the currency for 1 EUR, so EUR itself is 1. */
export const currencies = ["EUR", "USD", "JPY", "GBP", "CHF", "AUD", "CAD", "NZD"] as const;

export type Currency = (typeof currencies)[number];

/** The 28 pairs of the eight currencies, quoted the way the market quotes them. */
export const fxPairs: readonly string[] = [
  ...["eurusd", "gbpusd", "usdjpy", "usdchf", "audusd", "usdcad", "nzdusd"],
  ...["eurgbp", "eurjpy", "eurchf", "euraud", "eurcad", "eurnzd"],
  ...["gbpjpy", "gbpchf", "gbpaud", "gbpcad", "gbpnzd"],
  ...["audjpy", "audchf", "audcad", "audnzd", "nzdjpy", "nzdchf", "nzdcad", "cadjpy", "cadchf", "chfjpy"],
];

/** The 27 pairs of a run: all but eurusd. */
export const defaultPairs: readonly string[] = fxPairs.filter((pair) => pair !== "eurusd");

/** Base and quote currency: the rate of XXXYYY is YYY for 1 XXX. */
export function splitPair(pair: string): { readonly base: Currency; readonly quote: Currency } {
  return { base: toCurrency(pair.slice(0, 3)), quote: toCurrency(pair.slice(3)) };
}

function toCurrency(code: string): Currency {
  const currency = currencies.find((known) => known.toLowerCase() === code);
  if (currency === undefined) throw new RangeError(`no reference rate for the currency "${code}"`);
  return currency;
}
