import { combine, lag, rollingVariance } from "./rolling.ts";

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
