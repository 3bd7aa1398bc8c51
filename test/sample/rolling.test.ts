import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  lag,
  rollingBeta,
  rollingCorrelation,
  rollingDeviation,
  rollingMean,
  rollingResidual,
  rollingScore,
  rollingSkew,
  rollingVariance,
} from "../../src/sample/rolling.ts";

const returns = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 60 });
const windows = fc.integer({ min: 2, max: 25 });

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const central = (values: readonly number[], power: number): number =>
  mean(values.map((value) => (value - mean(values)) ** power));
const variance = (values: readonly number[]): number => (central(values, 2) * values.length) / (values.length - 1);

/** The slow way: each window is computed alone. */
function eachWindow(
  values: readonly number[],
  window: number,
  reduce: (window: readonly number[]) => number,
): number[] {
  return values.map((_, row) => (row < window - 1 ? Number.NaN : reduce(values.slice(row - window + 1, row + 1))));
}

function assertClose(actual: Float64Array, expected: readonly number[], tolerance: number): void {
  assert.equal(actual.length, expected.length);
  for (const [row, value] of expected.entries()) {
    const found = actual[row] ?? 0;
    const close = Number.isNaN(value)
      ? Number.isNaN(found)
      : Math.abs(found - value) <= tolerance * Math.max(1, Math.abs(value));
    assert.ok(close, `row ${row}: ${found} instead of ${value}`);
  }
}

test("mean and variance are those of every window taken on its own, at any level", () => {
  fc.assert(
    fc.property(returns, windows, fc.constantFrom(0, 5, 1000), (values, window, level) => {
      const raised = Float64Array.from(values, (value) => value + level);
      assertClose(rollingMean(raised, window), eachWindow([...raised], window, mean), 1e-12);
      assertClose(rollingVariance(raised, window), eachWindow([...raised], window, variance), 1e-10);
    }),
  );
});

test("skew is the third central moment over the second to the 3/2", () => {
  const values = Array.from({ length: 400 }, (_, row) => Math.sin(row * row) ** 3 / 100);
  const skew = (window: readonly number[]): number => central(window, 3) / central(window, 2) ** 1.5;
  for (const window of [5, 21, 126]) {
    assertClose(rollingSkew(Float64Array.from(values), window), eachWindow(values, window, skew), 1e-9);
  }
});

test("the score is the last value's distance from the mean in standard deviations", () => {
  const values = Array.from({ length: 300 }, (_, row) => 4.7 + Math.sin(row * row) / 50);
  const score = (window: readonly number[]): number =>
    ((window.at(-1) ?? 0) - mean(window)) / Math.sqrt(variance(window));
  assertClose(rollingScore(Float64Array.from(values), 20), eachWindow(values, 20, score), 1e-9);
});

test("beta, correlation and residual follow from covariances of every window", () => {
  const leg = Array.from({ length: 300 }, (_, row) => Math.sin(row * row) / 100);
  const own = leg.map((value, row) => 0.7 * value + Math.cos(row * row * 3) / 200);
  const rows = leg.map((_, row) => row);
  const covariance = (window: readonly number[]): number => {
    const [legMean, ownMean] = [leg, own].map((values) => mean(window.map((row) => values[row] ?? 0)));
    const products = window.map((row) => ((leg[row] ?? 0) - (legMean ?? 0)) * ((own[row] ?? 0) - (ownMean ?? 0)));
    return products.reduce((sum, product) => sum + product, 0) / (window.length - 1);
  };
  const varianceOf = (values: readonly number[], window: readonly number[]): number =>
    variance(window.map((row) => values[row] ?? 0));
  const beta = eachWindow(rows, 30, (window) => covariance(window) / varianceOf(leg, window));
  const residual = own.map((value, row) => value - (beta[row - 1] ?? Number.NaN) * (leg[row] ?? 0));
  const correlation = (window: readonly number[]): number =>
    covariance(window) / Math.sqrt(varianceOf(leg, window) * varianceOf(own, window));
  const [ownSeries, legSeries] = [Float64Array.from(own), Float64Array.from(leg)];
  assertClose(rollingBeta(ownSeries, legSeries, 30), beta, 1e-9);
  assertClose(rollingResidual(ownSeries, legSeries, 30), residual, 1e-9);
  assertClose(rollingCorrelation(ownSeries, legSeries, 30), eachWindow(rows, 30, correlation), 1e-9);
});

test("a series that begins later has its first value one full window later", () => {
  const values = Float64Array.of(Number.NaN, Number.NaN, 1, 2, 3, 4, 5, 6);
  assertClose(rollingMean(values, 3), [Number.NaN, Number.NaN, Number.NaN, Number.NaN, 2, 3, 4, 5], 0);
});

test("a window without spread has no score and no skew, not an infinite one", () => {
  const flat = Float64Array.of(0.1, 0.1, 0.1, 0.1);
  assertClose(rollingDeviation(flat, 3), [Number.NaN, Number.NaN, 0, 0], 0);
  assert.ok(rollingScore(flat, 3).every(Number.isNaN));
  assert.ok(rollingSkew(flat, 3).every(Number.isNaN));
});

test("a window longer than the series, and a lag longer than it, leave nothing", () => {
  assert.ok(rollingMean(Float64Array.of(1, 2), 3).every(Number.isNaN));
  assert.ok(lag(Float64Array.of(1, 2), 5).every(Number.isNaN));
  assert.deepEqual(lag(Float64Array.of(1, 2, 3), 1), Float64Array.of(Number.NaN, 1, 2));
});
