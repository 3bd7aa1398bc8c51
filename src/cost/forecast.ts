import type { BackendName } from "../model/backend-name.ts";
import type { CostForecast, CostLine, PriceList } from "../model/cost.ts";
import { largest } from "../model/numbers.ts";
import { isGcsPath } from "../model/storage-path.ts";
import { type ComputeUse, describeBasis, priceCompute, ratesOf } from "./compute.ts";
import { addSums, priceCluster, priceStorage, sumLines } from "./cost-lines.ts";
import { sourceOf } from "./prices.ts";

/** What a run is going to do. */
export interface Forecast {
  readonly backend: BackendName;
  readonly output: string;
  /** Pairs that run at the same time. */
  readonly parallelism: number;
  readonly pairs: readonly ForecastPair[];
}

/** What one pair will request, and the time and output bytes that are predicted for it. */
export interface ForecastPair extends ComputeUse {
  readonly pair: string;
  readonly spot: boolean;
  readonly outputBytes: number;
}

/** What a run would cost if every pair were started once. Retries and storage operations are not included. */
export function predictCost(forecast: Forecast, list: PriceList): CostForecast {
  const pairs = forecast.pairs.map((pair) => {
    const lines = priceWorker(pair, forecast, list);
    return { pair: pair.pair, lines, estimated: sumLines(lines) };
  });
  const lines = forecast.backend === "kubernetes" ? [priceCluster(wallSeconds(forecast), list)] : [];
  const stored = isGcsPath(forecast.output) ? forecast.pairs.map((pair) => priceStorage(pair.outputBytes, list)) : [];
  return {
    pairs,
    lines,
    estimated: addSums([...pairs.map((pair) => pair.estimated), sumLines(lines)]),
    monthly: sumLines(stored),
    basis: `${describeBasis(forecast.backend)} Retries and storage operations are not included.`,
    prices: sourceOf(list),
  };
}

function priceWorker(pair: ForecastPair, forecast: Forecast, list: PriceList): CostLine[] {
  const rates = ratesOf(forecast.backend, pair.spot);
  return rates === undefined ? [] : priceCompute(pair, rates, list);
}

/** At least the longest pair, and at least all work divided by the parallelism. */
function wallSeconds(forecast: Forecast): number {
  const seconds = forecast.pairs.map((pair) => pair.seconds);
  const sum = seconds.reduce((total, one) => total + one, 0);
  return Math.max(largest(seconds), sum / Math.max(1, forecast.parallelism));
}
