import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { featureKinds } from "../../src/sample/features.ts";
import { createMarket } from "../../src/sample/market.ts";
import { fxPairs } from "../../src/sample/pairs.ts";
import { loadRates, realDays } from "../../src/sample/rates.ts";

const market = createMarket(await loadRates(), realDays, 1);

// The oracle reads the file itself and computes every window on its own, in plain prices.
const csv = await readFile(new URL("../../data/ecb-euro-reference-rates.csv", import.meta.url), "utf8");
const [header = [], ...lines] = csv
  .trim()
  .split("\n")
  .map((line) => line.split(","));

function price(currency: string, row: number): number {
  return currency === "EUR" ? 1 : Number(lines[row]?.[header.indexOf(currency)]);
}

function rate(pair: string, row: number): number {
  const [base, quote] = [pair.slice(0, 3).toUpperCase(), pair.slice(3).toUpperCase()];
  return price(quote, row) / price(base, row);
}

const rowsBefore = (row: number, count: number): number[] =>
  Array.from({ length: count }, (_, back) => row - count + 1 + back);
const logReturn = (pair: string, row: number): number => Math.log(rate(pair, row) / rate(pair, row - 1));
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
const moment = (values: readonly number[], power: number): number =>
  mean(values.map((value) => (value - mean(values)) ** power));
const variance = (values: readonly number[]): number => (moment(values, 2) * values.length) / (values.length - 1);
const strength = (currency: string, row: number): number =>
  mean(
    ["EUR", "USD", "JPY", "GBP", "CHF", "AUD", "CAD", "NZD"]
      .filter((other) => other !== currency)
      .map((other) => logReturn(`${currency}${other}`, row)),
  );

function slope(pair: string, leg: string, row: number, window: number): number {
  const rows = rowsBefore(row, window);
  const [own, other] = [pair, leg].map((name) => rows.map((at) => logReturn(name, at))) as [number[], number[]];
  const joint = sum(own.map((value, at) => (value - mean(own)) * ((other[at] ?? 0) - mean(other))));
  return joint / sum(other.map((value) => (value - mean(other)) ** 2));
}

function compute(family: string, kind: string, feature: string, pair = "audusd"): Float64Array {
  const found = featureKinds.find((candidate) => candidate.family === family && candidate.name === kind);
  const features = found?.features(market, pair) ?? [];
  const [match] = features.filter(({ name }) => name === feature);
  assert.ok(match, `${family}_${kind} has no ${feature}`);
  return match.compute();
}

function assertRows(actual: Float64Array, oracle: (row: number) => number): void {
  for (const row of [1500, 2222, 4711, 6982]) {
    const [found, expected] = [actual[row] ?? Number.NaN, oracle(row)];
    assert.ok(Math.abs(found - expected) <= 1e-8 * Math.abs(expected) + 1e-15, `row ${row}: ${found}, not ${expected}`);
  }
}

test("pair features are those of the pair's own rate", () => {
  const returns = (row: number, window: number): number[] =>
    rowsBefore(row, window).map((at) => logReturn("audusd", at));
  assertRows(compute("pair", "return", "w5"), (row) => Math.log(rate("audusd", row) / rate("audusd", row - 5)));
  assertRows(compute("pair", "momentum", "w21"), (row) => rate("audusd", row) / rate("audusd", row - 21) - 1);
  assertRows(compute("pair", "mean", "w63"), (row) => mean(returns(row, 63)));
  assertRows(compute("pair", "std", "w126"), (row) => Math.sqrt(variance(returns(row, 126))));
  assertRows(
    compute("pair", "skew", "w252"),
    (row) => moment(returns(row, 252), 3) / moment(returns(row, 252), 2) ** 1.5,
  );
  assertRows(compute("pair", "zscore", "w1260"), (row) => {
    const logs = rowsBefore(row, 1260).map((at) => Math.log(rate("audusd", at)));
    return ((logs.at(-1) ?? 0) - mean(logs)) / Math.sqrt(variance(logs));
  });
});

test("triangle features are those of the pair against a leg through a third currency", () => {
  assertRows(compute("tri", "beta", "jpy_base_w50"), (row) => slope("audusd", "audjpy", row, 50));
  assertRows(compute("tri", "beta", "jpy_quote_w50"), (row) => slope("audusd", "usdjpy", row, 50));
  assertRows(compute("tri", "residual", "eur_quote_w30"), (row) => {
    return logReturn("audusd", row) - slope("audusd", "usdeur", row - 1, 30) * logReturn("usdeur", row);
  });
  const correlations = compute("tri", "corr", "gbp_base_w90", "eurjpy");
  assert.ok(correlations.every((value, row) => (row < 90 ? Number.isNaN(value) : Math.abs(value) <= 1 + 1e-12)));
});

test("market features average all 28 pairs and are the same for each", () => {
  const daily = (row: number): number[] => fxPairs.map((pair) => logReturn(pair, row));
  assertRows(compute("mkt", "return", "w10"), (row) => mean(rowsBefore(row, 10).map((at) => mean(daily(at)))));
  assertRows(compute("mkt", "volatility", "w5"), (row) =>
    mean(rowsBefore(row, 5).map((at) => Math.sqrt(mean(daily(at).map((value) => value ** 2))))),
  );
  assert.deepEqual(compute("mkt", "dispersion", "w5", "audusd"), compute("mkt", "dispersion", "w5", "chfjpy"));
});

test("variance ratios compare held returns with daily ones", () => {
  const held = (row: number, days: number): number => Math.log(rate("audusd", row) / rate("audusd", row - days));
  const over = (row: number, window: number, days: number): number =>
    variance(rowsBefore(row, window).map((at) => held(at, days)));
  assertRows(compute("var", "ratio", "q5_w126"), (row) => over(row, 126, 5) / (5 * over(row, 126, 1)));
  assertRows(compute("var", "term", "s21_w252"), (row) => Math.log(over(row, 21, 1) / over(row, 252, 1)));
});

test("currency strength is the average return against the seven others", () => {
  const over = (row: number, window: number): number[] => rowsBefore(row, window).map((at) => strength("GBP", at));
  assertRows(compute("csi", "strength", "gbp_w21"), (row) => mean(over(row, 21)));
  assertRows(compute("csi", "volatility", "gbp_w21"), (row) => Math.sqrt(variance(over(row, 21))));
});

test("a feature has no value until its first window is full", () => {
  const firstValue = (values: Float64Array): number => values.findIndex((value) => !Number.isNaN(value));
  assert.equal(firstValue(compute("pair", "return", "w5")), 5);
  assert.equal(firstValue(compute("pair", "std", "w21")), 21);
  assert.equal(firstValue(compute("pair", "zscore", "w21")), 20);
  assert.equal(firstValue(compute("tri", "residual", "nzd_base_w21")), 22);
  assert.equal(firstValue(compute("var", "ratio", "q20_w25")), 44);
  assert.equal(firstValue(compute("csi", "strength", "usd_w1260")), 1260);
});
