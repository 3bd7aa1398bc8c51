/** Sums over one window, of the distances of its rows from an origin inside the window. */
interface WindowSums {
  first: number;
  second: number;
  third: number;
  origin: number;
}

/**
 * One value per row, from the window that ends there; NaN until the first window is full, or if `reduce` returns no finite
 * number. O(rows) for any window.
 *
 * Every window that ends within `window` rows of an anchor contains the anchor, so its sums are those of a tail before the
 * anchor plus those of a head from it on. Nothing is subtracted from a running total, so nothing drifts. The anchor's value
 * as origin keeps the precision of series whose values are large compared with their spread (levels, not returns).
 */
function rolling(values: Float64Array, window: number, reduce: (sums: WindowSums) => number): Float64Array {
  const result = new Float64Array(values.length).fill(Number.NaN);
  const tail = new Float64Array(3 * window);
  const sums: WindowSums = { first: 0, second: 0, third: 0, origin: 0 };
  for (let anchor = window - 1; anchor < values.length; anchor += window) {
    const origin = values[anchor] ?? 0;
    sumTail(values, anchor, window, tail);
    sums.origin = origin;
    let [first, second, third] = [0, 0, 0];
    const end = Math.min(window, values.length - anchor);
    for (let ahead = 0; ahead < end; ahead += 1) {
      const distance = (values[anchor + ahead] ?? 0) - origin;
      first += distance;
      second += distance * distance;
      third += distance * distance * distance;
      const before = 3 * (window - 1 - ahead);
      sums.first = first + (tail[before] ?? 0);
      sums.second = second + (tail[before + 1] ?? 0);
      sums.third = third + (tail[before + 2] ?? 0);
      result[anchor + ahead] = finite(reduce(sums));
    }
  }
  return result;
}

/** tail[3k…]: the three sums over the k rows before the anchor. */
function sumTail(values: Float64Array, anchor: number, window: number, tail: Float64Array): void {
  const origin = values[anchor] ?? 0;
  for (let back = 1; back < window; back += 1) {
    const distance = (values[anchor - back] ?? 0) - origin;
    tail[3 * back] = (tail[3 * back - 3] ?? 0) + distance;
    tail[3 * back + 1] = (tail[3 * back - 2] ?? 0) + distance * distance;
    tail[3 * back + 2] = (tail[3 * back - 1] ?? 0) + distance * distance * distance;
  }
}

/** Rolling mean. */
export function rollingMean(values: Float64Array, window: number): Float64Array {
  return rolling(values, window, (sums) => sums.origin + sums.first / window);
}

/** Rolling sample variance. */
export function rollingVariance(values: Float64Array, window: number): Float64Array {
  return rolling(values, window, (sums) => spread(sums, window) / (window - 1));
}

/** Rolling sample standard deviation. */
export function rollingDeviation(values: Float64Array, window: number): Float64Array {
  return rolling(values, window, (sums) => Math.sqrt(spread(sums, window) / (window - 1)));
}

/** Rolling skewness (third central moment over the second to the 3/2, population form). */
export function rollingSkew(values: Float64Array, window: number): Float64Array {
  return rolling(values, window, (sums) => {
    const mean = sums.first / window;
    const variance = spread(sums, window) / window;
    const third = sums.third / window - (3 * mean * sums.second) / window + 2 * mean ** 3;
    return third / variance ** 1.5;
  });
}

/** Distance of each value from the rolling mean, in rolling standard deviations. */
export function rollingScore(values: Float64Array, window: number): Float64Array {
  const mean = rollingMean(values, window);
  const deviation = rollingDeviation(values, window);
  return combine(values, mean, deviation, (value, center, scale) => (value - center) / scale);
}

/**
 * The part of today's return that yesterday's slope on the leg does not explain. Without the lag it would be zero: cross
 * rates are exact, so a triangle within one day has no residual.
 */
export function rollingResidual(returns: Float64Array, leg: Float64Array, window: number): Float64Array {
  const slope = lag(rollingBeta(returns, leg, window), 1);
  return combine(returns, leg, slope, (own, other, beta) => own - beta * other);
}

/** Slope of the returns on the leg's returns. */
export function rollingBeta(returns: Float64Array, leg: Float64Array, window: number): Float64Array {
  const covariance = rollingCovariance(returns, leg, window);
  const variance = rollingVariance(leg, window);
  return combine(covariance, variance, variance, (joint, own) => joint / own);
}

/** Correlation of the returns with the leg's returns. */
export function rollingCorrelation(returns: Float64Array, leg: Float64Array, window: number): Float64Array {
  const covariance = rollingCovariance(returns, leg, window);
  const own = rollingVariance(returns, window);
  const other = rollingVariance(leg, window);
  return combine(covariance, own, other, (joint, one, two) => joint / Math.sqrt(one * two));
}

/** Sample covariance, from var(x + y) = var(x) + var(y) + 2 cov(x, y). */
function rollingCovariance(left: Float64Array, right: Float64Array, window: number): Float64Array {
  const sum = rollingVariance(
    left.map((value, row) => value + (right[row] ?? 0)),
    window,
  );
  const own = rollingVariance(left, window);
  const other = rollingVariance(right, window);
  return combine(sum, own, other, (both, one, two) => (both - one - two) / 2);
}

/** One value per row from three series; NaN if the result is not finite. */
export function combine(
  first: Float64Array,
  second: Float64Array,
  third: Float64Array,
  join: (first: number, second: number, third: number) => number,
): Float64Array {
  return first.map((value, row) => finite(join(value, second[row] ?? Number.NaN, third[row] ?? Number.NaN)));
}

/** The series shifted by `rows`: row n has the value of row n - rows. */
export function lag(values: Float64Array, rows: number): Float64Array {
  const result = new Float64Array(values.length).fill(Number.NaN);
  result.set(values.subarray(0, Math.max(0, values.length - rows)), Math.min(rows, values.length));
  return result;
}

/** Sum of squared distances from the mean; rounding must not make it negative. */
function spread(sums: WindowSums, window: number): number {
  return Math.max(0, sums.second - (sums.first * sums.first) / window);
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : Number.NaN;
}
