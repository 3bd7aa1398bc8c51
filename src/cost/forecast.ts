import type { BackendName } from "../model/backend-name.ts";
import type { CostForecast, CostLine, ForecastPair, PriceList } from "../model/cost.ts";
import { addSums, sumLines } from "./lines.ts";
import { sourceOf } from "./prices.ts";
import { describeBasis, priceUse, ratesOf } from "./rates.ts";
import { clusterLine, isBucket, monthlyLine, priceOperations } from "./run-cost.ts";

/** What a run is going to do. */
export interface Forecast {
  readonly backend: BackendName;
  readonly output: string;
  readonly spot: boolean;
  /** Pairs at work at the same time. */
  readonly parallelism: number;
  readonly pairs: readonly ForecastPair[];
}

/** What a run would cost if every pair were started once; retries come on top. */
export function predictCost(forecast: Forecast, list: PriceList): CostForecast {
  const pairs = forecast.pairs.map((pair) => {
    const lines = [...computeLines(pair, forecast, list), ...priceOperations(pair.classA ?? 0, pair.classB ?? 0, list)];
    return { pair: pair.pair, lines, estimated: sumLines(lines) };
  });
  const lines = forecast.backend === "kubernetes" ? [clusterLine(wallSeconds(forecast), list)] : [];
  const stored = isBucket(forecast.output) ? forecast.pairs.map((pair) => monthlyLine(pair.outputBytes, list)) : [];
  return {
    pairs,
    lines,
    estimated: addSums([...pairs.map((pair) => pair.estimated), sumLines(lines)]),
    monthly: sumLines(stored),
    basis: describeBasis(forecast.backend),
    prices: sourceOf(list),
  };
}

function computeLines(pair: ForecastPair, forecast: Forecast, list: PriceList): CostLine[] {
  const rates = ratesOf(forecast.backend, pair.spot ?? forecast.spot);
  return rates === undefined ? [] : priceUse(pair, rates, list);
}

/** As long as the longest pair, and as the work divided by the pairs at once. */
function wallSeconds(forecast: Forecast): number {
  const seconds = forecast.pairs.map((pair) => pair.seconds);
  const sum = seconds.reduce((total, one) => total + one, 0);
  return Math.max(0, ...seconds, sum / Math.max(1, forecast.parallelism));
}
