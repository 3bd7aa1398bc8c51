import { type Currency, currencies, fxPairs, splitPair } from "./pairs.ts";
import { createRandom, drawIndex } from "./random.ts";
import type { Rates } from "./rates.ts";

/** The rates of all currencies over the rows of a sample. Every feature is computed from them. */
export interface Market {
  readonly rows: number;
  /** Rows at the end that are resampled, not observed. */
  readonly syntheticRows: number;
  /** The key of each row: midnight UTC in microseconds since 1970. */
  readonly keys: BigInt64Array;
  /** Logarithm of the rate: quote currency for 1 of base. */
  readonly logRate: (base: Currency, quote: Currency) => Float64Array;
  /** Daily log returns of that rate; the first row has none. */
  readonly returns: (base: Currency, quote: Currency) => Float64Array;
  /** Daily log return of a currency against the average of the seven others. */
  readonly strength: (currency: Currency) => Float64Array;
  /** Daily log returns of all 28 pairs. */
  readonly pairReturns: () => readonly Float64Array[];
}

const microsecondsADay = 86_400_000_000n;
/** Business days that are resampled as one block, so that volatility keeps its clusters. */
const blockDays = 20;

/**
 * The last `rows` real days. If there are fewer, a block bootstrap of the real daily returns continues them on the following
 * weekdays; it resamples all currencies of a day together, so that cross rates stay consistent.
 */
export function createMarket(rates: Rates, rows: number, seed: number): Market {
  const real = Math.min(rows, rates.days.length);
  const sources = bootstrapDays(rates.days.length, rows - real, seed);
  const logs = mapCurrencies((currency) =>
    continueLogs(rates.logPerEur[currency].slice(-real), sources, rates, currency),
  );
  const keys = BigInt64Array.from(continueDays(rates.days.slice(-real), rows), (day) => BigInt(day) * microsecondsADay);
  const logRate = remember((base: Currency, quote: Currency) =>
    logs[quote].map((log, row) => log - (logs[base][row] ?? 0)),
  );
  const returns = remember((base: Currency, quote: Currency) => difference(logRate(base, quote)));
  const strength = remember((currency: Currency) =>
    average(against(currency).map((other) => returns(currency, other))),
  );
  const pairReturns = remember(() => fxPairs.map(splitPair).map(({ base, quote }) => returns(base, quote)));
  return { rows, syntheticRows: rows - real, keys, logRate, returns, strength, pairReturns };
}

/** The seven other currencies. */
export function against(...excluded: readonly Currency[]): Currency[] {
  return currencies.filter((currency) => !excluded.includes(currency));
}

/** Change over `days` rows; the first `days` rows have none. */
export function difference(values: Float64Array, days = 1): Float64Array {
  const result = new Float64Array(values.length).fill(Number.NaN);
  for (let row = days; row < values.length; row += 1) result[row] = (values[row] ?? 0) - (values[row - days] ?? 0);
  return result;
}

function average(series: readonly Float64Array[]): Float64Array {
  const [first = new Float64Array(0)] = series;
  return first.map((_, row) => series.reduce((sum, values) => sum + (values[row] ?? 0), 0) / series.length);
}

function mapCurrencies(toLogs: (currency: Currency) => Float64Array): Readonly<Record<Currency, Float64Array>> {
  return Object.fromEntries(currencies.map((currency) => [currency, toLogs(currency)])) as Record<
    Currency,
    Float64Array
  >;
}

/** For each row to add, the real day whose return it repeats. */
function bootstrapDays(realDays: number, count: number, seed: number): Int32Array {
  const random = createRandom(`bootstrap ${seed}`);
  const days = new Int32Array(count);
  for (let block = 0; block < count; block += blockDays) {
    const start = 1 + drawIndex(random, realDays - blockDays);
    for (let row = block; row < Math.min(block + blockDays, count); row += 1) days[row] = start + row - block;
  }
  return days;
}

function continueLogs(real: Float64Array, sources: Int32Array, rates: Rates, currency: Currency): Float64Array {
  const observed = rates.logPerEur[currency];
  const logs = new Float64Array(real.length + sources.length);
  logs.set(real);
  let level = real.at(-1) ?? 0;
  sources.forEach((day, row) => {
    level += (observed[day] ?? 0) - (observed[day - 1] ?? 0);
    logs[real.length + row] = level;
  });
  return logs;
}

function continueDays(real: Int32Array, rows: number): Int32Array {
  const days = new Int32Array(rows);
  days.set(real);
  for (let row = real.length; row < rows; row += 1) days[row] = nextWeekday(days[row - 1] ?? 0);
  return days;
}

/** 1970-01-01 was a Thursday, so Saturday is day 2 and Sunday day 3 modulo 7. */
function nextWeekday(day: number): number {
  const weekday = (day + 1) % 7;
  return day + (weekday === 2 ? 3 : weekday === 3 ? 2 : 1);
}

/** Computes each value once: the same daily series feeds hundreds of features. */
function remember<Args extends readonly string[], Value>(compute: (...args: Args) => Value): (...args: Args) => Value {
  const known = new Map<string, Value>();
  return (...args) => {
    const name = args.join();
    const value = known.get(name) ?? compute(...args);
    known.set(name, value);
    return value;
  };
}
