import { against, difference, type Market } from "./market.ts";
import { type Currency, currencies, splitPair } from "./pairs.ts";
import * as rolling from "./rolling.ts";

/** The five families of feature tables. */
export type Family = "pair" | "tri" | "mkt" | "var" | "csi";

/** One series, named by its parameters. Each of its lags is another column. */
export interface Feature {
  /** Such as "w20" or "jpy_base_w60": unique within the kind. */
  readonly name: string;
  /** One value per row; NaN where there is none. */
  readonly compute: () => Float64Array;
}

/** One kind of feature over a grid of parameters. */
export interface FeatureKind {
  readonly family: Family;
  readonly name: string;
  readonly features: (market: Market, pair: string) => readonly Feature[];
}

const windows = [
  ...[5, 6, 8, 10, 12, 15, 18, 21, 25, 30, 36, 42, 50, 63, 75, 90],
  ...[105, 126, 150, 180, 210, 252, 300, 378, 504, 630, 756, 1008, 1260],
];
const longWindows = windows.filter((window) => window >= 25);
const holdingDays = [2, 3, 4, 5, 6, 8, 10, 12, 15, 20];

/** Every kind of feature table, in the order in which the tables of a family use them. */
export const featureKinds: readonly FeatureKind[] = [
  pairKind("return", ({ logRate }, days) => difference(logRate, days)),
  pairKind("momentum", ({ logRate }, days) => difference(logRate, days).map(Math.expm1)),
  pairKind("mean", ({ returns }, window) => rolling.rollingMean(returns, window)),
  pairKind("std", ({ returns }, window) => rolling.rollingDeviation(returns, window)),
  pairKind("skew", ({ returns }, window) => rolling.rollingSkew(returns, window)),
  pairKind("zscore", ({ logRate }, window) => rolling.rollingScore(logRate, window)),
  triangleKind("residual", ({ returns, leg }, window) => rolling.rollingResidual(returns, leg, window)),
  triangleKind("beta", ({ returns, leg }, window) => rolling.rollingBeta(returns, leg, window)),
  triangleKind("corr", ({ returns, leg }, window) => rolling.rollingCorrelation(returns, leg, window)),
  triangleKind("leadlag", ({ returns, leg }, window) => rolling.rollingResidual(returns, rolling.lag(leg, 1), window)),
  marketKind("return", (values) => meanOf(values)),
  marketKind("volatility", (values) => Math.sqrt(meanOf(values.map((value) => value * value)))),
  marketKind("dispersion", (values) => meanOf(values.map((value) => Math.abs(value - meanOf(values))))),
  { family: "var", name: "ratio", features: varianceRatios },
  { family: "var", name: "term", features: varianceTerms },
  strengthKind("strength", (strength, window) => rolling.rollingMean(strength, window)),
  strengthKind("zscore", (strength, window) => rolling.rollingScore(cumulate(strength), window)),
  strengthKind("volatility", (strength, window) => rolling.rollingDeviation(strength, window)),
];

interface PairSeries {
  readonly logRate: Float64Array;
  readonly returns: Float64Array;
}

/** Features of the pair's own rate, one for each window. */
function pairKind(name: string, compute: (pair: PairSeries, window: number) => Float64Array): FeatureKind {
  const features = (market: Market, pair: string): Feature[] => {
    const { base, quote } = splitPair(pair);
    const own = { logRate: market.logRate(base, quote), returns: market.returns(base, quote) };
    return windows.map((window) => ({ name: `w${window}`, compute: () => compute(own, window) }));
  };
  return { family: "pair", name, features };
}

interface Triangle {
  readonly returns: Float64Array;
  /** Returns of the base or of the quote currency against the third one. */
  readonly leg: Float64Array;
}

/** Features of the pair against one leg through a third currency, one for each leg and window. */
function triangleKind(name: string, compute: (triangle: Triangle, window: number) => Float64Array): FeatureKind {
  const features = (market: Market, pair: string): Feature[] => {
    const { base, quote } = splitPair(pair);
    const returns = market.returns(base, quote);
    const sides = { base, quote };
    return against(base, quote).flatMap((third) =>
      Object.entries(sides).flatMap(([side, currency]) =>
        windows.map((window) => ({
          name: `${third.toLowerCase()}_${side}_w${window}`,
          compute: () => compute({ returns, leg: market.returns(currency, third) }, window),
        })),
      ),
    );
  };
  return { family: "tri", name, features };
}

/** Rolling averages of a daily figure over all 28 pairs, the same for every pair. */
function marketKind(name: string, summarize: (returns: readonly number[]) => number): FeatureKind {
  const features = (market: Market): Feature[] => {
    const all = market.pairReturns();
    let daily: Float64Array | undefined;
    const once = (): Float64Array => {
      daily ??= Float64Array.from(market.keys, (_, row) => summarize(all.map((values) => values[row] ?? 0)));
      return daily;
    };
    return windows.map((window) => ({ name: `w${window}`, compute: () => rolling.rollingMean(once(), window) }));
  };
  return { family: "mkt", name, features };
}

/** Features of a currency against the average of the seven others, one for each currency and window. */
function strengthKind(name: string, compute: (strength: Float64Array, window: number) => Float64Array): FeatureKind {
  const features = (market: Market): Feature[] =>
    currencies.flatMap((currency: Currency) =>
      windows.map((window) => ({
        name: `${currency.toLowerCase()}_w${window}`,
        compute: () => compute(market.strength(currency), window),
      })),
    );
  return { family: "csi", name, features };
}

/** Variance of q-day returns divided by q times that of daily returns: above 1 in trends, below in reversals (Lo and MacKinlay). */
function varianceRatios(market: Market, pair: string): Feature[] {
  const { base, quote } = splitPair(pair);
  const ratio = (days: number, window: number): Float64Array => {
    const daily = rolling.rollingVariance(market.returns(base, quote), window);
    const held = rolling.rollingVariance(difference(market.logRate(base, quote), days), window);
    return rolling.combine(held, daily, daily, (long, short) => long / (days * short));
  };
  return longWindows.flatMap((window) =>
    holdingDays.map((days) => ({ name: `q${days}_w${window}`, compute: () => ratio(days, window) })),
  );
}

/** Log ratio of the variances of a short and a long window. */
function varianceTerms(market: Market, pair: string): Feature[] {
  const { base, quote } = splitPair(pair);
  const term = (short: number, long: number): Float64Array => {
    const recent = rolling.rollingVariance(market.returns(base, quote), short);
    const usual = rolling.rollingVariance(market.returns(base, quote), long);
    return rolling.combine(recent, usual, usual, (left, right) => Math.log(left / right));
  };
  return longWindows.flatMap((long) =>
    windows
      .filter((short) => short < long)
      .map((short) => ({ name: `s${short}_w${long}`, compute: () => term(short, long) })),
  );
}

function cumulate(values: Float64Array): Float64Array {
  let level = 0;
  return values.map((value, row) => {
    level += row === 0 ? 0 : value;
    return level;
  });
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
